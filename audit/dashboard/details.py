"""One record → what its page says in short: who, whose, when, where, why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from audit.dashboard.display import NS_PER_S
from audit.index.document import IndexedRecord
from audit.record.times import parse_date_time
from audit.standards.code_tables import table

NO_HEADER = dict.fromkeys(
    ("format", "priority", "hostname", "app_name", "procid", "msgid", "msg_offset")
)
_STUDY = "110180"
"""Study Instance UID among ParticipantObjectIDTypeCodes (DICOM PS3.16 DCID 404)."""

_SKEW_NS = 300 * NS_PER_S
"""Beyond five minutes a page says that the sender's clock is off."""


@dataclass(frozen=True, slots=True)
class Named:
    """A value to search for, how to show it, and a remark."""

    value: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """The short facts of one record.

    Attributes:
        times: name, UTC nanoseconds or None when unreadable, text as sent.
        skewed: how far the event's time is from receipt, in words; empty when it is close.
        where: name, query field and value of each place.
    """

    category: str
    outcome: str
    verdict: str
    tier: str
    dialect: str
    action: str
    who: tuple[Named, ...]
    patients: tuple[Named, ...]
    studies: tuple[Named, ...]
    times: tuple[tuple[str, int | None, str], ...]
    skewed: str
    where: tuple[tuple[str, str, str], ...]
    size: int
    truncated: bool
    repeat_of: str


def code_name(table_name: str, code: str | None) -> str:
    """What a code of a table means; the empty string when the table doesn't say."""
    return table(table_name).name_of(code or "")


def event_page(record: IndexedRecord) -> EventPage:
    """The short facts of a record; every part may be missing."""
    body = record.body
    message: dict[str, Any] = body.get("message") or {}
    return EventPage(
        category=record.first("category"),
        outcome=record.first("outcome"),
        verdict=record.first("verdict"),
        tier=record.first("tier"),
        dialect=record.first("dialect"),
        action=code_name("event_action", (message.get("event") or {}).get("action")),
        who=tuple(_who(message)),
        patients=(*_patients(message), *_inferred(record)),
        studies=tuple(_studies(message)),
        times=tuple(_times(record)),
        skewed=_skew(record),
        where=tuple(_where(record)),
        size=int(body.get("size") or 0),
        truncated=bool(body.get("truncated")),
        repeat_of=record.first("repeat_of"),
    )


def _who(message: dict[str, Any]) -> Iterator[Named]:
    everyone = message.get("participants", ())
    for one in sorted(everyone, key=lambda one: not one["is_requestor"]):
        if not one["is_requestor"] and not one["user_name"]:
            continue
        name = one["user_name"] or one["user_id"]
        notes = [one["user_id"]] if one["user_id"] != name else []
        notes += ["requestor"] if one["is_requestor"] else []
        yield Named(one["user_id"] or name, name, ", ".join(filter(None, notes)))


def _patients(message: dict[str, Any]) -> Iterator[Named]:
    for one in message.get("objects", ()):
        if one["type"] == "1" and one["role"] == "1":
            identifier = one["id"].split("^")[0] or one["id"]
            name = one["name"] or ""
            yield Named(identifier, f"{name} ({identifier})" if name else identifier)


def _inferred(record: IndexedRecord) -> Iterator[Named]:
    for identifier in (record.body.get("inferred") or {}).get("patient", ()):
        yield Named(identifier, identifier, "named in the query")


def _studies(message: dict[str, Any]) -> Iterator[Named]:
    for one in message.get("objects", ()):
        if one["id_type"]["code"] == _STUDY:
            yield Named(one["id"], one["name"] or one["id"])


def _times(record: IndexedRecord) -> Iterator[tuple[str, int | None, str]]:
    for name, key in (("Event, as sent", "event_time"), ("Syslog header", "header_time")):
        sent = record.body.get(key)
        if sent:
            yield name, parse_date_time(sent).ns, sent
    yield "Received", record.received, ""


def _skew(record: IndexedRecord) -> str:
    sent = parse_date_time(record.body.get("event_time") or "").ns
    if sent is None or abs(record.received - sent) <= _SKEW_NS:
        return ""
    minutes = abs(record.received - sent) // (60 * NS_PER_S)
    days, hours = minutes // 1440, minutes // 60
    size = f"{days} days" if days > 1 else f"{hours} hours" if hours > 1 else f"{minutes} minutes"
    side = "before" if sent < record.received else "after"
    return f"the sender says {size} {side} it was received"


def _where(record: IndexedRecord) -> Iterator[tuple[str, str, str]]:
    for name, field in (
        ("address", "address"),
        ("reported by", "node"),
        ("site", "site"),
    ):
        for value in record.values(field)[:4]:
            yield name, field, value
