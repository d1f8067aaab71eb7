from hashlib import sha256

import pytest

from audit.errors import JournalUnavailable
from audit.frame.syslog import read_header
from audit.index.document import IndexedRecord
from audit.projector.project import project
from audit.query.access import Principal
from audit.query.patients_shown import MOST_NAMED, PatientsShown
from audit.query.self_audit import SelfAudit
from audit.record.assess import assess
from tests.projector.messages import NOW, entry, message, patient, study
from tests.query.trail import IDENTITY, MARA, Trail

TOKEN = Principal("nightly export", kind="token", address="10.9.9.9")


@pytest.mark.parametrize("principal", [MARA, TOKEN, Principal("p", kind="process")])
def test_each_look_is_a_valid_audit_log_used(trail: Trail, principal: Principal) -> None:
    audit = SelfAudit(trail.append, IDENTITY, lambda: NOW)
    assert audit.used(principal, (("query", "patient:P1 Ä"),)) == 0
    raw = trail.appended[0]
    header = read_header(raw)
    assert header.remarks == ()
    assert (header.hostname, header.app_name, header.procid) == ("arr.example", "arr", "4711")
    assessed = assess(raw[header.msg_offset :])
    assert (assessed.event, assessed.verdict, assessed.tier) == ("110101", "valid", "dicom")
    assert [one for one in assessed.findings if one.severity == "error"] == []
    record = trail.own_records()[0]
    assert record.values("category") == ("audit-log-used",)
    assert record.values("requestor") == (principal.name,)
    assert record.values("node") == ("arr-1",)
    assert record.values("site") == ("main",)
    assert "urn:arr:audit-log:test" in record.values("object")
    assert trail.details() == [{"query": "patient:P1 Ä"}]
    assert record.time == NOW


def test_a_refusal_is_a_failure_with_its_reason(trail: Trail) -> None:
    audit = SelfAudit(trail.append, IDENTITY, lambda: NOW)
    audit.denied(MARA, (("query", "x"),), "needs the scope events:raw")
    record = trail.own_records()[0]
    assert record.values("outcome") == ("serious-failure",)
    event = record.body["message"]["event"]
    assert event["outcome_description"] == "needs the scope events:raw"
    assert read_header(trail.appended[0]).severity == 4


def patients(*identifiers: str) -> list[IndexedRecord]:
    return [project(entry(message(objects=(study(), patient(one)))), "own") for one in identifiers]


def test_the_patients_shown_are_named_once_each(trail: Trail) -> None:
    audit = SelfAudit(trail.append, IDENTITY, lambda: NOW)
    audit.used(MARA, (("query", ""),), patients("P2^^^&1.2&ISO", "p2", "P1 Ä"))
    (record,) = trail.own_records()
    assert record.values("patient") == ("P2", "P1 Ä")
    assert record.values("patient_name") == ()
    assert trail.details()[0] == {"query": "", "patients shown": "2"}
    assert [one for one in record.body["findings"] if one["severity"] == "error"] == []
    assert record.first("verdict") == "valid"


def test_many_patients_are_counted_and_their_manifest_hashed(trail: Trail) -> None:
    audit = SelfAudit(trail.append, IDENTITY, lambda: NOW)
    for number in (MOST_NAMED, MOST_NAMED + 1):
        audit.used(MARA, (), patients(*(f"P{n:03}" for n in reversed(range(number)))))
    named, counted = trail.own_records()
    assert len(named.values("patient")) == MOST_NAMED
    assert counted.values("patient") == ()
    manifest = b"".join(b"p%03d\n" % n for n in range(MOST_NAMED + 1))
    details = {
        one["type"]: one["value"] for one in counted.body["message"]["objects"][0]["details"]
    }
    assert details == {
        "patients shown": str(MOST_NAMED + 1),
        "manifest sha256": sha256(manifest).hexdigest(),
    }
    assert PatientsShown(patients("P1"), ("", " ", "p1", "P2")).manifest == b"p1\np2\n"


def test_reason_and_broken_glass_are_told(trail: Trail) -> None:
    audit = SelfAudit(trail.append, IDENTITY, lambda: NOW)
    broken = Principal("mvoss", reason="nobody else at hand", emergency=True)
    audit.used(broken, (("query", "x"),))
    audit.denied(broken, (("reason", "its own"),), "no")
    told, own = trail.details()
    assert told == {"query": "x", "reason": "nobody else at hand", "access": "emergency"}
    assert own == {"reason": "its own", "access": "emergency"}


def test_without_a_journal_it_raises(trail: Trail) -> None:
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        SelfAudit(trail.append, IDENTITY, lambda: NOW).used(MARA, ())
