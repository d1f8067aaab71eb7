"""Everything about one thing, summed up."""

from zoneinfo import ZoneInfo

import pytest

from audit.errors import Denied, JournalUnavailable
from audit.index.criteria import Term
from audit.index.document import IndexedRecord
from audit.query.about import About, AboutRequest, Kind, about
from audit.query.about_summary import (
    OfficeHours,
    broke_glass,
    by_day,
    by_user,
    sessions,
    week,
)
from tests.projector.messages import NOW, SECOND
from tests.query.test_one_patient import ANNA, BERT, FIRST
from tests.query.trail import MARA, NOBODY, Trail

MINUTE = 60 * SECOND
BERLIN = ZoneInfo("Europe/Berlin")
HOURS = OfficeHours(BERLIN)


def access(user: str, name: str, *objects: str, purpose: str = "", outcome: str = "0") -> bytes:
    why = f'<PurposeOfUse csd-code="{purpose}" codeSystemName="x" originalText="y"/>'
    return (
        '<85>1 - h a - IHE+RFC-3881 - <?xml version="1.0"?><AuditMessage><EventIdentification '
        f'EventActionCode="R" EventOutcomeIndicator="{outcome}">'
        '<EventID csd-code="110103" codeSystemName="DCM" originalText="x"/>'
        f"{why if purpose else ''}</EventIdentification>"
        f'<ActiveParticipant UserID="{user}" UserName="{name}" UserIsRequestor="true" '
        'NetworkAccessPointID="10.0.0.1" NetworkAccessPointTypeCode="2"/>'
        '<AuditSourceIdentification AuditSourceID="ct"/>' + "".join(objects) + "</AuditMessage>"
    ).encode()


@pytest.fixture
def filled(trail: Trail) -> Trail:
    steps = [
        (0, access("voss", "Mara Voss", ANNA, FIRST)),
        (10, access("voss", "Mara Voss", ANNA, BERT)),
        (50, access("VOSS", "Mara Voss", BERT, outcome="4")),
        (55, access("otto", "Otto", ANNA, purpose="BTG")),
    ]
    for minutes, raw in steps:
        trail.take(raw, at=NOW + minutes * MINUTE)
    trail.now = NOW + 60 * MINUTE
    trail.follow()
    return trail


def asked(trail: Trail, kind: Kind, value: str, **options: object) -> About:
    request = AboutRequest(kind=kind, value=value, criteria=Term(kind, value))
    return about(trail.service(**options).trail, MARA, request)


def records(trail: Trail) -> tuple[IndexedRecord, ...]:
    return trail.index.search(Term("node", "ct"), limit=100).records


def test_a_user_and_the_patients_beside(filled: Trail) -> None:
    answer = asked(filled, "user", "voss")
    assert [record.sequence for record in answer.records] == [2, 1, 0]
    assert answer.distinct_patients == 2
    assert (answer.total.value, answer.is_cut) == (3, False)
    assert answer.oldest == NOW
    assert sum(bar.total for bar in answer.bars) == 3
    assert dict(answer.facets["patient"]) == {"p1": 2, "p2": 2}


def test_a_patients_facets_hold_no_other_patient(filled: Trail) -> None:
    answer = asked(filled, "patient", "P1")
    assert answer.distinct_patients == 0
    assert set(answer.facets) == {"category", "node"}


def test_the_newest_are_read_and_it_says_when_there_are_more(filled: Trail) -> None:
    answer = asked(filled, "user", "voss", max_about_records=2)
    assert [record.sequence for record in answer.records] == [2, 1]
    assert answer.is_cut
    assert answer.oldest == NOW


def test_nothing_is_told_as_nothing(filled: Trail) -> None:
    answer = asked(filled, "study", "9.9")
    assert (answer.records, answer.oldest, answer.span, answer.facets) == ((), None, None, {})


def test_the_look_is_recorded_first(filled: Trail) -> None:
    asked(filled, "patient", "P1")
    told = next(one for one in filled.details() if "patient" in one)
    assert (told["patient"], told["records shown"], told["patients shown"]) == ("P1", "3", "1")
    assert filled.own_records()[-1].values("patient") == ("P1",)
    asked(filled, "user", "voss")
    assert filled.own_records()[-1].values("patient") == ("P2", "P1")
    request = AboutRequest(kind="patient", value="P1", criteria=Term("patient", "P1"))
    with pytest.raises(Denied):
        about(filled.service().trail, NOBODY, request)
    filled.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        asked(filled, "patient", "P1")


def test_who_did_it_with_what_a_reviewer_looks_for(filled: Trail) -> None:
    voss, otto = by_user(records(filled), HOURS)
    assert (voss.name, voss.count, voss.failed, voss.broke_glass) == ("Mara Voss", 3, 1, 0)
    assert (voss.first, voss.last) == (NOW, NOW + 50 * MINUTE)
    assert voss.categories == (("access", 3),)
    assert voss.places == ("10.0.0.1",)
    assert (otto.name, otto.broke_glass) == ("Otto", 1)


def test_a_message_without_a_name_is_somebodys_too() -> None:
    torn = IndexedRecord(id="a-1", sequence=1, time=NOW, received=NOW, body={})
    (share,) = by_user([torn], HOURS)
    assert (share.user, share.name) == ("", "Not stated")


def test_a_long_pause_ends_a_session(filled: Trail) -> None:
    own = [record for record in records(filled) if record.first("requestor").lower() == "voss"]
    late, early = sessions(own, 1_800, HOURS)
    assert (early.count, early.patients, early.end - early.start) == (2, 2, 10 * MINUTE)
    assert (late.count, late.places) == (1, ("10.0.0.1",))
    assert len(sessions(own, 3_600, HOURS)) == 1


@pytest.mark.parametrize(
    ("when", "outside"),
    [
        ("2026-11-20T12:00:00+01:00", False),
        ("2026-11-20T05:59:59+01:00", True),
        ("2026-11-20T06:00:00+01:00", False),
        ("2026-11-20T22:00:00+01:00", True),
        ("2026-11-21T12:00:00+01:00", True),
    ],
)
def test_nights_and_weekends_are_unusual(when: str, outside: bool) -> None:
    from datetime import datetime

    ns = int(datetime.fromisoformat(when).timestamp()) * SECOND
    assert HOURS.is_outside(ns) is outside


def test_hours_of_the_week_in_the_zone() -> None:
    from datetime import datetime

    when = datetime(2026, 11, 20, 23, 30, tzinfo=ZoneInfo("UTC"))
    one = IndexedRecord(id="a-1", sequence=1, time=int(when.timestamp()) * SECOND, received=0)
    counts = week([one], BERLIN)
    assert counts[5][0] == 1
    assert sum(map(sum, counts)) == 1
    assert [day for day, _ in by_day([one], BERLIN)] == ["2026-11-21"]


def test_breaking_the_glass_by_purpose_or_by_alert() -> None:
    def of(**fields: tuple[str, ...]) -> IndexedRecord:
        return IndexedRecord(id="a-1", sequence=1, time=NOW, received=NOW, fields=fields)

    assert broke_glass(of(purpose=("BTG",)))
    assert broke_glass(of(purpose=("Emergency Treatment",)))
    assert broke_glass(of(kind=("emergency-override",)))
    assert not broke_glass(of(purpose=("TREAT",)))
