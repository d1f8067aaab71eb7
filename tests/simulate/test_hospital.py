import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from audit.frame.syslog import format_message, read_header
from audit.record.assess import assess
from audit.record.serialise import serialise
from audit.simulate.hospital import HospitalShape, context, simulate
from audit.simulate.scenes import Slots
from audit.simulate.stage import SimulatedMessage, Wrongdoing
from audit.simulate.stations import Station
from audit.simulate.template import Template

MONDAY = datetime(2026, 3, 2, tzinfo=ZoneInfo("Europe/Berlin"))
HONEST = HospitalShape(wrongdoing_every=0)
GUILTY = HospitalShape(wrongdoing_every=300)


def msg(message: SimulatedMessage) -> bytes:
    return message.syslog[read_header(message.syslog).msg_offset :]


@pytest.fixture(scope="module")
def fortnight() -> list[SimulatedMessage]:
    return list(simulate(11, MONDAY, days=14, events=9_000, shape=GUILTY))


def test_the_same_seed_gives_the_same_messages() -> None:
    first, again, other = (list(simulate(seed, MONDAY, events=400)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


@pytest.mark.parametrize("events", [0, 1, 7, 1000])
@pytest.mark.parametrize("days", [None, 0.01, 3])
def test_exactly_so_many_events_come(events: int, days: float | None) -> None:
    assert sum(1 for _ in simulate(1, MONDAY, events=events, days=days)) == events


def test_days_hold_what_the_shape_says() -> None:
    shape = HospitalShape(events_per_day=500)
    messages = list(simulate(1, MONDAY, days=2, shape=shape))
    assert len(messages) == pytest.approx(1000, abs=2)
    assert messages[0].time >= MONDAY.timestamp() * 1e9
    assert messages[-1].time < (MONDAY + timedelta(days=2)).timestamp() * 1e9


def test_events_are_spread_over_all_the_days(fortnight: list[SimulatedMessage]) -> None:
    days = Counter(
        datetime.fromtimestamp(message.time / 1e9, MONDAY.tzinfo).date() for message in fortnight
    )
    assert len(days) == 14
    assert min(days.values()) > 100
    weekend = [count for day, count in days.items() if day.weekday() >= 5]
    working = [count for day, count in days.items() if day.weekday() < 5]
    assert max(weekend) < min(working)


def test_nights_are_quiet(fortnight: list[SimulatedMessage]) -> None:
    hours = Counter(
        datetime.fromtimestamp(message.time / 1e9, MONDAY.tzinfo).hour for message in fortnight
    )
    assert sum(hours[hour] for hour in range(5)) * 5 < sum(hours[hour] for hour in range(9, 14))


def test_messages_come_in_the_order_of_time(fortnight: list[SimulatedMessage]) -> None:
    assert all(before.time <= after.time for before, after in pairwise(fortnight))


def test_every_message_is_valid_without_a_finding(fortnight: list[SimulatedMessage]) -> None:
    seen: Counter[str] = Counter()
    for message in fortnight[::3]:
        told = assess(msg(message))
        assert told.findings == ()
        assert (told.tier, told.verdict) == ("dicom", "valid")
        assert read_header(message.syslog).remarks == ()
        seen[told.event] += 1
    assert set(seen) == {str(code) for code in range(110100, 110115)}


def test_the_message_tells_node_and_time(fortnight: list[SimulatedMessage]) -> None:
    for message in fortnight[::50]:
        header = read_header(message.syslog)
        told = assess(msg(message)).message
        assert told is not None
        assert header.hostname == message.node == told.audit_sources[0].audit_source_id
        for text in (header.timestamp, told.event_identification.event_date_time):
            assert datetime.fromisoformat(text).timestamp() == pytest.approx(message.time / 1e9)


def test_a_filled_template_is_what_builder_and_serialiser_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill = Template.fill
    kinds: set[str] = set()

    def checked(self: Template, slots: Slots) -> bytes:
        filled = fill(self, slots)
        assert filled == serialise(self.message(slots))
        kinds.add(self.scene.__name__)
        return filled

    monkeypatch.setattr(Template, "fill", checked)
    count = sum(1 for _ in simulate(2, MONDAY, days=14, events=3_000, shape=GUILTY))
    assert count == 3_000
    assert len(kinds) == 14


def test_a_header_is_what_the_frame_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(station: Station, severity: int, utc: str, xml: bytes) -> bytes:
        return format_message(
            severity=severity,
            hostname=station.host,
            app_name=station.app,
            procid=station.process,
            timestamp=datetime.fromisoformat(utc).replace(tzinfo=UTC),
            msg=xml,
        )

    quick = list(simulate(2, MONDAY, days=2, events=500))
    monkeypatch.setattr("audit.simulate.stage.framed", slowly)
    assert list(simulate(2, MONDAY, days=2, events=500)) == quick


def test_a_hospital_in_utc_writes_the_same_time_twice() -> None:
    (message,) = simulate(2, MONDAY.astimezone(UTC), events=1)
    told = assess(msg(message)).message
    assert told is not None
    sent = told.event_identification.event_date_time
    assert sent == read_header(message.syslog).timestamp.replace("Z", "+00:00")


def by_case(messages: list[SimulatedMessage]) -> Iterator[tuple[Wrongdoing, str, int]]:
    cases = Counter(message.label for message in messages)
    for label, count in cases.items():
        if label is not None:
            yield label.wrongdoing, label.actor, count


def test_every_wrongdoing_is_labelled_with_its_actor(fortnight: list[SimulatedMessage]) -> None:
    cases = list(by_case(fortnight))
    assert {kind for kind, _, _ in cases} == set(Wrongdoing)
    staff = {member.user_id for member in context(11, MONDAY, days=14, events=9_000).staff}
    assert {actor for _, actor, _ in cases} <= staff
    assert sum(count for _, _, count in cases) < len(fortnight) / 3


def test_an_honest_hospital_has_no_label() -> None:
    assert not any(m.label for m in simulate(3, MONDAY, events=3_000, shape=HONEST))


def test_no_export_after_hours_where_no_night_is_left() -> None:
    noon = MONDAY.replace(hour=12)
    shape = HospitalShape(wrongdoing_every=150)
    messages = list(simulate(8, noon, days=0.3, events=4_000, shape=shape))
    kinds = {kind for kind, _, _ in by_case(messages)}
    assert kinds == set(Wrongdoing) - {Wrongdoing.AFTER_HOURS_EXPORT}


def test_labels_tell_the_truth(fortnight: list[SimulatedMessage]) -> None:
    known = context(11, MONDAY, days=14, events=9_000, shape=GUILTY)
    colleagues = set(known.own_patient_ids.values())
    for message in fortnight:
        if message.label is None:
            continue
        told = assess(msg(message)).message
        assert told is not None
        patients = {
            one.participant_object_id.partition("^")[0]
            for one in told.participant_objects
            if one.is_patient
        }
        match message.label.wrongdoing:
            case Wrongdoing.SNOOPING_ON_COLLEAGUE:
                assert patients <= colleagues
            case Wrongdoing.SNOOPING_ON_PROMINENT:
                assert patients <= set(known.prominent_patient_ids)
            case Wrongdoing.AFTER_HOURS_EXPORT:
                hour = datetime.fromisoformat(told.event_identification.event_date_time).hour
                assert hour in {2, 3}
            case Wrongdoing.FAILED_LOGIN_BURST:
                assert told.event_identification.event_outcome_indicator == "8"
            case _:
                pass


def test_colleagues_have_the_names_they_work_under() -> None:
    known = context(11, MONDAY, events=10)
    assert (
        len(known.own_patient_ids) == len(known.staff) == len(set(known.own_patient_ids.values()))
    )


def test_memory_does_not_grow_with_the_number_of_messages() -> None:
    def peak(events: int) -> int:
        tracemalloc.start()
        for _ in simulate(4, MONDAY, events=events):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(1_000)
    assert peak(9_000) < 1.5 * peak(3_000)


@pytest.mark.parametrize(("days", "events"), [(None, None), (0, None), (-1, 5), (None, -1)])
def test_nonsense_is_refused(days: float | None, events: int | None) -> None:
    with pytest.raises(ValueError, match=r"days|events"):
        simulate(1, MONDAY, days=days, events=events)


def test_a_start_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        simulate(1, MONDAY.replace(tzinfo=None), days=1)


@pytest.mark.parametrize("shape", [{"events_per_day": 0}, {"wrongdoing_every": -1}, {"staff": 0}])
def test_an_impossible_shape_is_refused(shape: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        HospitalShape(**shape)


def test_the_staff_may_be_set() -> None:
    small = context(1, MONDAY, events=10, shape=HospitalShape(staff=40))
    big = context(1, MONDAY, events=10, shape=HospitalShape(staff=400))
    assert len(big.staff) == pytest.approx(400, abs=10)
    assert len(small.staff) < 60
