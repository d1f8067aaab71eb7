import pytest

from audit.errors import JournalUnavailable
from audit.frame.syslog import read_header
from audit.query.access import Principal
from audit.query.self_audit import SelfAudit
from audit.record.assess import assess
from tests.projector.messages import NOW
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


def test_without_a_journal_it_raises(trail: Trail) -> None:
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        SelfAudit(trail.append, IDENTITY, lambda: NOW).used(MARA, ())
