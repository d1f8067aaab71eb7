from datetime import datetime, timedelta

import pytest

from audit.errors import ConfigurationError
from audit.simulate import facts as facts_module
from audit.simulate.facts import facts
from audit.simulate.pace import Pace, weight_between
from audit.simulate.people import Names, Patients, hired
from audit.simulate.roster import Roster, hours_left, shift_of

STAFF = hired(1, 200)
PATIENTS = Patients(1, STAFF)
MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - the roster takes local time


def test_each_patient_has_an_identifier_of_his_own() -> None:
    numbers = {PATIENTS.patient_id(number) for number in range(50_000)}
    assert len(numbers) == 50_000
    assert {len(number) for number in numbers} <= {7, 8}


def test_names_come_from_many_cultures() -> None:
    names = Names(3)
    written = [names.of(number).person_name for number in range(3_000)]
    assert any("=" in name for name in written)
    assert any("\u0400" <= name[0] <= "\u04ff" for name in written)
    assert any(not name.isascii() for name in written)
    assert all(name.split("=")[0].count("^") == 1 for name in written)
    assert len(set(written)) > 1_500


def test_members_of_staff_are_patients_under_their_own_names() -> None:
    member = STAFF[5]
    slots = PATIENTS.slots(member.index)
    assert slots["pname"] == f"{member.family}^{member.given}"


def test_logins_are_plain_and_unique() -> None:
    logins = [member.user_id.partition("@")[0] for member in STAFF]
    assert all(login.isascii() for login in logins)
    assert len(set(logins)) == len(STAFF)


def test_somebody_is_always_there() -> None:
    roster = Roster(STAFF)
    for hour in range(0, 24 * 14, 5):
        local = MONDAY + timedelta(hours=hour)
        for department in facts().departments:
            assert roster.on_duty(department.code, local)


def test_fewer_are_there_at_night() -> None:
    roster = Roster(STAFF)
    radiologists = len(roster.on_duty("RAD", MONDAY + timedelta(hours=11)))
    assert len(roster.on_duty("RAD", MONDAY + timedelta(hours=3))) < radiologists


def test_the_day_shift_rests_at_the_weekend() -> None:
    saturday = MONDAY + timedelta(days=5)
    assert all(shift_of(one, saturday) is None for one in STAFF if not one.turning)


@pytest.mark.parametrize(
    ("shift", "hour", "left"), [("day", 8, 9), ("night", 23, 7), ("night", 5, 1), ("early", 14, 1)]
)
def test_hours_until_a_shift_ends(shift: str, hour: int, left: int) -> None:
    assert hours_left(shift, hour) == left


def test_the_pace_follows_the_hours() -> None:
    begin = 1_772_409_600_000  # 2026-03-02T00:00Z, a Monday
    day = 24 * 3_600_000
    whole = weight_between(begin, begin + day, None)
    assert weight_between(begin, begin + day // 2, None) < whole
    pace = Pace(begin, None, 1.0)
    times = [pace.time_of(count) for count in range(0, int(whole), 10)]
    assert times == sorted(times)
    assert begin <= times[0]
    assert times[-1] < begin + day


def test_data_that_would_need_an_escape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module, "read_toml", lambda _: {"name": ["ok", {"x": "R&D"}]})
    with pytest.raises(ConfigurationError, match="R&D"):
        facts.__wrapped__()
