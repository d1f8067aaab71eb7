"""Facts: what SIEM formats are mapped from, read out of an indexed record, nothing hidden yet.

Each fact is declared in ``schemas/siem/facts.toml`` with what may be shown of it; ``disclosure``
sees to that. No record is too bad: what it lacks is left out.
"""

from typing import Any

from audit.index.document import IndexedRecord
from audit.siem.participants import participant_facts
from audit.siem.subjects import Subjects, subjects_of
from audit.siem.values import Facts, Found, JsonObject, ip_of, present
from audit.standards.code_tables import event_name, table, text_of

_ALERT = "110113"
_OUTCOMES = {"success": "success", "": "unknown"}


def facts_of(record: IndexedRecord) -> tuple[Facts, Subjects]:
    """Everything known of a record by the name of the fact, and the subjects of its message."""
    message = record.body.get("message") or {}
    subjects = subjects_of(record, message.get("objects") or ())
    found: Found = {
        **_place(record),
        **_arrival(record.body),
        **_event(record, message.get("event") or {}),
        **participant_facts(message.get("participants") or ()),
        **subjects.facts,
        "node": record.values("node"),
        "site": record.values("site"),
        "aes": record.values("ae"),
    }
    given = ((name, present(values)) for name, values in found.items())
    return {name: values for name, values in given if values}, subjects


def _place(record: IndexedRecord) -> Found:
    names = ("category", "kind", "tier", "dialect", "verdict", "repeat_of", "listener")
    return {
        "id": (record.id,),
        "sequence": (record.sequence,),
        "time": (record.time,),
        "received": (record.received,),
        "findings": record.values("finding"),
        **{name: record.values(name)[:1] for name in names},
    }


def _arrival(body: JsonObject) -> Found:
    header, peer = body.get("header") or {}, body.get("peer") or {}
    return {
        "host": (_named(header.get("hostname")),),
        "app": (_named(header.get("app_name")),),
        "procid": (_named(header.get("procid")),),
        "msgid": (_named(header.get("msgid")),),
        "facility": (header.get("facility"),),
        "syslog_severity": (header.get("severity"),),
        "priority": (header.get("priority"),),
        "syslog_version": (header.get("version") or None,),
        "peer_ip": ip_of(peer.get("address")),
        "certificate": (peer.get("certificate_sha256"),),
        "certificate_subject": (peer.get("certificate_subject"),),
        "size": (body.get("size"),),
    }


def _named(value: Any) -> str | None:
    """A field of a syslog header, the nil value left out (RFC 5424 6.2)."""
    return None if value in {None, "", "-"} else str(value)


def _event(record: IndexedRecord, event: JsonObject) -> Found:
    identity = event.get("id") or {}
    types = event.get("types") or ()
    outcome, is_alert = record.first("outcome"), identity.get("code") == _ALERT
    return {
        "event_code": (identity.get("code"),),
        "event_system": (identity.get("system"),),
        "event_name": (event_name(identity.get("code") or ""),),
        "types": (code["code"] for code in types),
        "type_names": (_type_name(code["code"], code["system"]) for code in types),
        "action": (_action(event.get("action")),),
        "outcome_name": (outcome,),
        # In a Security Alert the outcome is the alert's gravity (PS3.15 A.5.3.11).
        "outcome": ("unknown" if is_alert else _OUTCOMES.get(outcome, "failure"),),
        "outcome_indicator": (_indicator(event.get("outcome")),),
        "reason": (event.get("outcome_description"),),
        "purposes": (code["code"] for code in event.get("purposes") or ()),
    }


def _type_name(code: str, system: str) -> str:
    return text_of(code, system) or table("event_type").name_of(code)


def _action(code: str | None) -> str | None:
    return code if code in table("event_action").codes else None


def _indicator(outcome: str | None) -> int | None:
    return int(outcome) if outcome in {"0", "4", "8", "12"} else None
