"""The short facts of a record."""

from typing import Any

import pytest

from audit.dashboard.details import event_page
from audit.dashboard.display import NS_PER_S
from audit.dashboard.home import words_of_name
from audit.dashboard.times import interval_words
from audit.index.document import IndexedRecord

RECEIVED = 1_783_080_131 * NS_PER_S


def record(**body: Any) -> IndexedRecord:
    return IndexedRecord(id="a-0", sequence=0, time=RECEIVED, received=RECEIVED, body=body)


def participant(**changed: Any) -> dict[str, Any]:
    values = {"user_id": "u1", "user_name": None, "is_requestor": False}
    return values | changed


def thing(**changed: Any) -> dict[str, Any]:
    values = {"id": "P1", "type": "1", "role": "1", "name": None, "id_type": {"code": "2"}}
    return values | changed


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("2026-07-03T12:00:00Z", ""),
        ("2026-07-03T11:50:00Z", "the sender says 12 minutes before it was received"),
        ("2026-07-03T17:02:11Z", "the sender says 5 hours after it was received"),
        ("2026-06-03T12:02:11Z", "the sender says 30 days before it was received"),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_clock_that_is_off_is_told(sent: str | None, words: str) -> None:
    assert event_page(record(event_time=sent)).skewed == words


def test_three_times_as_far_as_they_are_known() -> None:
    page = event_page(record(event_time="nonsense", header_time="2026-07-03T12:02:11Z"))
    assert page.times == (
        ("Event, as sent", None, "nonsense"),
        ("Syslog header", RECEIVED, "2026-07-03T12:02:11Z"),
        ("Received", RECEIVED, ""),
    )


def test_requestors_come_first_and_the_nameless_not_at_all() -> None:
    people = [
        participant(user_name="viewer"),
        participant(user_id="machine"),
        participant(user_id="voss", user_name="Mara Voss", is_requestor=True),
        participant(user_id="", user_name="x", is_requestor=True),
    ]
    who = event_page(record(message={"participants": people, "objects": [], "event": {}})).who
    assert [(one.value, one.text, one.note) for one in who] == [
        ("voss", "Mara Voss", "voss, requestor"),
        ("x", "x", "requestor"),
        ("u1", "viewer", "u1"),
    ]


def test_patients_are_told_from_other_objects_and_from_queries() -> None:
    things = [
        thing(id="P1^^^H", name="Doe^Jane"),
        thing(id="1.2", type="2", role="3", id_type={"code": "110180"}),
        thing(id="L", role="2"),
    ]
    page = event_page(
        record(
            message={"participants": [], "objects": things, "event": {"action": "D"}},
            inferred={"patient": ["P9"]},
        )
    )
    assert [(one.value, one.text, one.note) for one in page.patients] == [
        ("P1", "Doe^Jane (P1)", ""),
        ("P9", "P9", "named in the query"),
    ]
    assert [one.value for one in page.studies] == ["1.2"]
    assert page.action == "Delete"


def test_words_for_lengths_and_names() -> None:
    assert interval_words(1800 * NS_PER_S) == "30 minutes"
    assert interval_words(3600 * NS_PER_S) == "1 hour"
    assert interval_words(172_800 * NS_PER_S) == "2 days"
    assert interval_words(45 * NS_PER_S) == "45 seconds"
    assert words_of_name("needs_rebuild") == "Needs rebuild"
