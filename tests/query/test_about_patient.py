"""A question about one patient shows, and puts on record, no other."""

from audit.query.one_patient import AboutPatient
from tests.projector.messages import message, patient, study, syslog
from tests.query.trail import MARA, Trail


def test_a_co_patient_is_neither_shown_nor_recorded(trail: Trail) -> None:
    both = (study(), patient("P1", "Doe^Jane"), patient("P2", "Roe^Rik"))
    trail.take(syslog(message(objects=both)))
    trail.follow()
    service = trail.service()
    answer = service.search(MARA, AboutPatient("patient:P1", "P1"))
    shown = str(answer.as_dict()) + str(answer.records[0].body)
    assert "P1" in shown
    assert "Doe^Jane" in shown
    assert "P2" not in shown
    assert "Roe" not in shown
    (record,) = trail.own_records()
    assert record.values("patient") == ("P1",)
    assert "P2" in str(service.search(MARA, "patient:P1").as_dict())


def test_pages_of_one_question_go_on_in_the_other(trail: Trail) -> None:
    for name in ("P1", "P1", "P2"):
        trail.take(syslog(message(objects=(patient(name),)), name))
    trail.follow()
    service = trail.service()
    first = service.search(MARA, AboutPatient("patient:P1", "P1"), limit=1, include_repeats=True)
    second = service.search(
        MARA,
        AboutPatient("patient:P1", "P1"),
        limit=1,
        include_repeats=True,
        cursor=first.next_cursor,
    )
    assert [len(first.records), len(second.records), second.next_cursor] == [1, 1, None]
