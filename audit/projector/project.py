"""project: one journal entry → one searchable record. Pure, and no message is too bad for it.

What each field means stands in ``schemas/index/fields.toml``; from which codes category, kind,
outcome and roles are derived stands in ``schemas/index/categories.toml``.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from sys import maxsize
from types import MappingProxyType
from typing import Any, NamedTuple

from audit.frame.structured_data import NIL
from audit.frame.syslog import SyslogHeader, read_header
from audit.index.document import IndexedRecord
from audit.journal.entry import BROKEN_OFF, Entry, EntryKind, Received
from audit.projector.body import arrival_body, header_body
from audit.projector.derivations import OTHER
from audit.projector.event_fields import kind_of
from audit.projector.event_time import ChosenTime, choose_time
from audit.projector.field_values import Added, FieldValues
from audit.projector.identities import host_of
from audit.projector.objects import add_asked
from audit.projector.options import DEFAULT_OPTIONS, ProjectionOptions
from audit.projector.parts import SMALL_OCTETS, Part, parts_of
from audit.record.assess import Assessment, assess
from audit.record.audit_message import AuditMessage
from audit.record.findings import Finding, Severity, finding
from audit.record.remembered import Remembered

_MAX_REMEMBERED_CHARACTERS = 256
_NO_SEVERITY = "none"
_GRAVEST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


class _Content(NamedTuple):
    """What the message itself gave: parts of the body, and the time to go by."""

    time: ChosenTime
    event_time: str | None = None
    message: dict[str, Any] | None = None
    inferred: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def record_id(origin: str, sequence: int) -> str:
    """``ORIGIN-SEQUENCE``: a record's place in the journal."""
    return f"{origin}-{sequence}"


def no_subject(_digest: bytes) -> str:
    """Names no certificate."""
    return ""


def project(
    entry: Entry,
    origin: str,
    subject_of: Callable[[bytes], str] = no_subject,
    *,
    options: ProjectionOptions = DEFAULT_OPTIONS,
    repeat_of: str = "",
) -> IndexedRecord:
    """The searchable record of a message, also of one that can't be parsed.

    Args:
        entry: of kind MESSAGE or TRUNCATED; a CERTIFICATE is no record.
        origin: the log's short name, first part of the id.
        subject_of: the subject of a peer's certificate by its SHA-256; empty when unknown.
        options: what the site has set.
        repeat_of: id of the record that this one repeats byte for byte.
    """
    received = entry.received
    header = read_header(received.raw)
    assessment = assess(received.raw[header.msg_offset :], options.xml_limits)
    values = FieldValues(options.max_values, options.max_value_chars, options.max_text_chars)
    arrival = _arrival_of(received, header)
    content = _add_message(values, assessment, received, arrival, options)
    if repeat_of:
        values.add("repeat_of", repeat_of)
    found = _findings(received, header, assessment, content.time, is_cut=values.is_cut)
    fields = values.fields()
    fields.update(_opinion_fields(assessment, found))
    return IndexedRecord(
        id=record_id(origin, entry.sequence),
        sequence=entry.sequence,
        time=content.time.ns,
        received=received.received_at,
        fields=fields,
        body={
            "event_time": content.event_time,
            "header_time": None if header.timestamp in {"", NIL} else header.timestamp,
            "header": header_body(header),
            **arrival_body(received, subject_of),
            "truncated": received.kind == EntryKind.TRUNCATED,
            **_opinion(assessment, found),
            "inferred": {name: list(known) for name, known in content.inferred.items()},
            "message": content.message,
        },
    )


def _opinion(assessment: Assessment, found: list[Finding]) -> dict[str, Any]:
    return {
        "verdict": assessment.verdict,
        "tier": assessment.tier,
        "dialect": assessment.dialect,
        "findings": [one.as_dict() for one in found],
    }


def project_failure(entry: Entry, origin: str, error: Exception) -> IndexedRecord:
    """The searchable record of an entry that ``project`` failed on, which is a fault of ours."""
    received = entry.received
    fault = finding("projection-failed", f"the record can't be shown: {type(error).__name__}")
    known = {"verdict": "malformed", "tier": "none", "dialect": "unknown"}
    fields = {
        "category": OTHER,
        "listener": received.listener,
        "address": host_of(received.peer),
        "peer": received.certificate_sha256.hex(),
        "finding": fault.rule,
        "severity": str(fault.severity),
        **known,
    }
    return IndexedRecord(
        id=record_id(origin, entry.sequence),
        sequence=entry.sequence,
        time=received.received_at,
        received=received.received_at,
        fields={name: (value,) for name, value in fields.items() if value},
        body={
            "event_time": None,
            "header_time": None,
            "header": {},
            **arrival_body(received, no_subject),
            "truncated": received.kind == EntryKind.TRUNCATED,
            **known,
            "findings": [fault.as_dict()],
            "inferred": {},
            "message": None,
        },
    )


def _add_message(
    values: FieldValues,
    assessment: Assessment,
    received: Received,
    arrival: Added,
    options: ProjectionOptions,
) -> _Content:
    message = assessment.message
    if message is None:
        values.add("category", OTHER)
        values.take(arrival)
        values.add_text(assessment.raw_text.splitlines())
        values.take_texts(arrival)
        return _Content(ChosenTime(received.received_at))
    parts = parts_of(
        message,
        _assigner(message, options),
        is_small=len(received.raw) <= SMALL_OCTETS,
        limits=options.data_set_limits,
    )
    if options.destination_kinds:
        values.take(parts.setting.added)
        values.take(arrival)
        values.add("kind", _kind(message, options))
    else:
        values.take(_arrived(parts.setting, arrival))
    for part in parts.objects:
        values.take(part.added)
    for part in parts.in_order():
        values.take_texts(part.added)
    values.take_texts(arrival)
    sent = message.event_identification.event_date_time
    asked = [identity for part in parts.objects for identity in part.asked]
    return _Content(
        choose_time(sent, received, options),
        sent,
        parts.body(),
        add_asked(values, asked) if asked else {},
    )


def _arrived(setting: Part, arrival: Added) -> Added:
    """What the setting adds, with its kind, and how it arrived; remembered for the pair."""
    known = _arrived_known.get((id(setting), id(arrival)))
    if known is not None and known[0] is setting and known[1] is arrival:
        return known[2]
    values = FieldValues(maxsize, maxsize, maxsize)
    values.take(setting.added)
    values.add("kind", setting.kind)
    values.take(arrival)
    added = values.added()
    _arrived_known.put((id(setting), id(arrival)), (setting, arrival, added))
    return added


_arrived_known: Remembered[tuple[int, int], tuple[Part, Added, Added]] = Remembered()
"""By identity, as in `PerPart`."""


def _kind(message: AuditMessage, options: ProjectionOptions) -> str:
    event, participants = message.event_identification, message.active_participants
    return kind_of(event, participants, options.destination_kinds)


def _assigner(message: AuditMessage, options: ProjectionOptions) -> str:
    if not options.default_assigners:
        return ""
    sources = (source.audit_source_id for source in message.audit_sources)
    assigners = (options.default_assigners.get(source, "") for source in sources)
    return next(filter(None, assigners), "")


def _arrival_of(received: Received, header: SyslogHeader) -> Added:
    facts = received.peer, received.certificate_sha256, received.listener
    host, app = header.hostname, header.app_name
    if len(host) + len(app) + len(received.peer) > _MAX_REMEMBERED_CHARACTERS:
        return _arrival(facts, (host, app))
    return _remembered_arrival(facts, (host, app))


def _arrival(facts: tuple[str, bytes, str], names: tuple[str, str]) -> Added:
    peer, certificate, listener = facts
    host, app = (name if name != NIL else "" for name in names)
    values = FieldValues(maxsize, maxsize, maxsize)
    values.add("address", host_of(peer))
    values.add("peer", certificate.hex())
    values.add("listener", listener)
    values.add("host", host)
    values.add("app", app)
    values.add_text((host, app))
    return values.added()


_remembered_arrival = lru_cache(maxsize=1024)(_arrival)


def _findings(
    received: Received,
    header: SyslogHeader,
    assessment: Assessment,
    time: ChosenTime,
    *,
    is_cut: bool,
) -> list[Finding]:
    """What is to be said of the record, in the order in which it was received and read."""
    is_part = received.kind == EntryKind.TRUNCATED or received.flags & BROKEN_OFF
    found = [_truncation(received)] if is_part else []
    found += [finding(remark.rule, remark.message) for remark in header.remarks]
    found += assessment.findings
    if time.finding is not None:
        found.append(time.finding)
    if is_cut:
        said = "the message holds more or longer values than are searchable; all are kept"
        found.append(finding("record-indexed-partly", said))
    return found


def _truncation(received: Received) -> Finding:
    kept = f"the first {len(received.raw)} were kept"
    said = f"the message has {received.sent_length} octets; {kept}"
    if received.flags & BROKEN_OFF:
        said = (
            "the sender broke off within this message, or sent what is no frame: "
            f"of {received.sent_length} octets {kept}"
        )
    return finding("message-truncated", said)


def _opinion_fields(assessment: Assessment, found: list[Finding]) -> Mapping[str, tuple[str, ...]]:
    said = assessment.verdict, assessment.tier, assessment.dialect
    if not found:
        return _opinion_without_findings(*said)
    severities = {one.severity for one in found}
    gravest = next(str(one) for one in _GRAVEST_FIRST if one in severities)
    rules = tuple(dict.fromkeys([one.rule for one in found]))
    return {"finding": rules, **_opinion_without_findings(*said), "severity": (gravest,)}


@lru_cache(maxsize=256)
def _opinion_without_findings(
    verdict: str, tier: str, dialect: str
) -> Mapping[str, tuple[str, ...]]:
    return {
        "severity": (_NO_SEVERITY,),
        "verdict": (verdict,),
        "tier": (tier,),
        "dialect": (dialect,),
    }
