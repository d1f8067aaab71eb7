import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.journal.entry import BROKEN_OFF, EntryKind
from audit.projector.options import ProjectionOptions
from audit.projector.project import project, project_failure
from audit.record.audit_message import AuditMessage
from audit.record.times import format_ns
from audit.standards.fields import FIELDS
from audit.standards.rules import rule
from tests.projector.messages import (
    DAY,
    NOW,
    ORIGIN,
    entry,
    event,
    message,
    patient,
    study,
    syslog,
)
from tests.record.build_cases import EVENTS

NAMES = {field.name for field in FIELDS if field.type in {"keyword", "text"}}


def test_a_good_message() -> None:
    record = project(entry(message()), ORIGIN)
    assert (record.id, record.sequence) == ("k3f9x2ab-7", 7)
    assert (record.time, record.received) == (NOW, NOW)
    expected = {
        "category": ("access",),
        "event": ("110103",),
        "action": ("R",),
        "outcome": ("success",),
        "user": ("mvoss@example.org", "mvoss"),
        "requestor": ("mvoss@example.org",),
        "patient": ("P48003",),
        "patient_name": ("Doe^Jane",),
        "study": ("1.2.840.99.7",),
        "node": ("viewer-3",),
        "site": ("radiology",),
        "address": ("192.0.2.9",),
        "host": ("ws12",),
        "app": ("viewer",),
        "listener": ("tls",),
        "verdict": ("valid",),
        "tier": ("dicom",),
        "dialect": ("dicom",),
        "severity": ("none",),
    }
    assert {name: record.values(name) for name in expected} == expected
    assert record.body["message"]["event"]["id"]["code"] == "110103"
    assert record.body["header"]["severity"] == 5
    assert record.body["header_time"] == "2026-05-28T20:26:40.000+00:00" or record.body[
        "header_time"
    ].startswith("2026-05-28T20:26:40")
    assert record.body["size"] == len(syslog(message()))
    assert record.body["truncated"] is False


@pytest.mark.parametrize(
    "msg",
    [
        b"hello there, chest ct",
        b"<a><b/></a>",
        b'<!DOCTYPE x [<!ENTITY e "f">]><AuditMessage>&e;</AuditMessage>',
        b"\xff\xfe\x00\x01",
        b"",
        b"<AuditMessage>",
    ],
)
def test_what_is_no_audit_message_is_still_a_record(msg: bytes) -> None:
    record = project(entry(syslog(msg)), ORIGIN)
    assert record.values("category") == ("other",)
    assert record.first("verdict") in {"malformed", "invalid"}
    assert record.first("severity") == "error"
    assert record.values("address") == ("192.0.2.9",)
    assert record.values("host") == ("ws12",)
    assert record.body["message"] is None
    assert record.body["findings"]


def test_the_words_of_what_is_no_audit_message_are_found() -> None:
    record = project(entry(b"\n".join((b"<13>1 garbage", b"chest ct"))), ORIGIN)
    assert "chest ct" in record.values("text")
    assert any(name.startswith("syslog-") for name in record.values("finding"))


def test_a_cut_message_says_so() -> None:
    raw = syslog(message())
    record = project(
        entry(raw[:400], kind=EntryKind.TRUNCATED, original_length=20_000_000), ORIGIN
    )
    assert record.values("finding")[0] == "message-truncated"
    assert "20000000 octets" in record.body["findings"][0]["message"]
    assert record.body["truncated"] is True
    assert record.body["size"] == 20_000_000
    assert record.first("severity") == "error"


def test_a_wrong_clock_is_told() -> None:
    late = message(event(event_date_time=format_ns(NOW - 100 * DAY)))
    record = project(entry(late), ORIGIN)
    assert record.time == NOW
    assert "clock-skew" in record.values("finding")
    assert record.first("severity") == "warning"
    assert record.body["event_time"] == format_ns(NOW - 100 * DAY)


def test_more_values_than_are_searchable_is_told() -> None:
    many = message(objects=(study(), *(patient(f"P{number}") for number in range(9))))
    record = project(entry(many), ORIGIN, options=ProjectionOptions(max_values=5))
    assert len(record.values("patient")) == 5
    assert "record-indexed-partly" in record.values("finding")
    assert len(record.body["message"]["objects"]) == 10


def test_every_patient_of_a_message_is_found() -> None:
    two = message(objects=(study(), patient("P1"), patient("P2")))
    assert project(entry(two), ORIGIN).values("patient") == ("P1", "P2")


def test_the_sites_own_assigner_for_bare_identifiers() -> None:
    options = ProjectionOptions(default_assigners={"viewer-3": "1.2.276"})
    record = project(entry(message()), ORIGIN, options=options)
    assert record.values("patient_assigner") == ("1.2.276",)


def test_the_peers_certificate_and_the_repeated_record() -> None:
    digest = bytes(range(32))
    one = entry(message(), certificate_sha256=digest)
    record = project(one, ORIGIN, lambda asked: f"CN={asked[:2].hex()}", repeat_of="k3f9x2ab-2")
    assert record.values("peer") == (digest.hex(),)
    assert record.values("repeat_of") == ("k3f9x2ab-2",)
    assert record.body["peer"]["certificate_subject"] == "CN=0001"


def test_a_record_that_stands_for_a_fault_of_ours() -> None:
    record = project_failure(entry(message()), ORIGIN, KeyError("secret"))
    assert record.id == "k3f9x2ab-7"
    assert record.values("finding") == ("projection-failed",)
    assert record.values("severity") == ("error",)
    assert "KeyError" in record.body["findings"][0]["message"]
    assert "secret" not in json.dumps(record.body)
    assert set(record.body) == set(project(entry(message()), ORIGIN).body)


def test_own_rules_exist() -> None:
    for name in ("clock-skew", "message-truncated", "projection-failed", "record-indexed-partly"):
        assert rule(name).id == name


@given(st.one_of(*EVENTS.values()))
def test_every_event_of_the_standard_projects(one: AuditMessage) -> None:
    record = project(entry(one), ORIGIN)
    assert record.first("category") != "other"
    assert set(record.fields) <= NAMES
    assert json.loads(json.dumps(record.body)) == record.body
    assert record.first("verdict") == "valid"
    for field in FIELDS:
        assert field.many or len(record.values(field.name)) <= 1


@given(st.binary(max_size=300))
def test_any_octets_project(raw: bytes) -> None:
    record = project(entry(raw), ORIGIN)
    assert record.first("verdict")
    json.dumps(record.body)


def test_a_projection_depends_on_the_entry_alone() -> None:
    assert project(entry(message()), ORIGIN) == project(entry(message()), ORIGIN)
    assert datetime.fromtimestamp(NOW / 1e9, UTC).year == 2026


@pytest.mark.parametrize(
    ("kind", "length"), [(EntryKind.TRUNCATED, 500), (EntryKind.MESSAGE, None)]
)
def test_a_message_that_broke_off_says_so(kind: EntryKind, length: int | None) -> None:
    part = entry(b"<85>1 half", kind=kind, original_length=length, flags=BROKEN_OFF)
    record = project(part, ORIGIN)
    assert record.values("finding")[0] == "message-truncated"
    assert record.first("verdict") == "malformed"
    said = record.body["findings"][0]["message"]
    assert "broke off" in said
    assert f"of {length or 10} octets the first 10 were kept" in said
