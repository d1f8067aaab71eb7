"""Records of the trail → AuditEvents with their place in the journal.

``id`` is the record's id, ``meta.lastUpdated`` its time of receipt, ``recorded`` its time.
What was sent as AuditEvent is given as it was sent, as far as it is sound; any other message is
mapped; one that can't be parsed becomes an AuditEvent that says so.
"""

from collections.abc import Mapping
from types import MappingProxyType

from audit.fhir.as_sent import as_sent
from audit.fhir.audit_event import TYPE, event_resource, untold
from audit.fhir.from_body import message_from_body
from audit.fhir.values import NOT_TOLD, Json, string, without_gaps
from audit.frame.syslog import read_header
from audit.index.document import IndexedRecord
from audit.projector.identities import host_of
from audit.record.assess import assess
from audit.record.times import format_ns, is_usual, parse_date_time

UNREADABLE = "Audit message that can't be parsed"
_ADDRESS_TYPE_IP = "2"
_NO_ASSIGNERS: Mapping[str, str] = MappingProxyType({})


def resource_of(
    record: IndexedRecord, received: bytes, assigners: Mapping[str, str] = _NO_ASSIGNERS
) -> Json:
    """The AuditEvent of a record, complete.

    Args:
        record: as the index holds it.
        received: the octets that the journal holds.
        assigners: assigning authority of bare patient identifiers, by AuditSourceID.
    """
    msg = received[read_header(received).msg_offset :]
    assessment = assess(msg)
    if assessment.message is None:
        return _placed(record, _unreadable(record))
    if assessment.dialect == "fhir" and assessment.tier != "none":
        sent = as_sent(msg)
        if sent is not None:
            return _placed(record, _at_its_time(sent, record.time))
    return _placed(record, event_resource(assessment.message, record.time, assigners))


def resource_shown(record: IndexedRecord) -> Json:
    """The AuditEvent of what the record itself shows, pseudonyms and all."""
    message = record.body["message"]
    if message is None:
        return _placed(record, _unreadable(record))
    return _placed(record, event_resource(message_from_body(message), record.time))


def _placed(record: IndexedRecord, resource: Json) -> Json:
    """With its place in the journal."""
    place = {"id": record.id, "meta": {"lastUpdated": format_ns(record.received)}}
    return {"resourceType": TYPE, **place, **resource}


def _at_its_time(resource: Json, time: int) -> Json:
    """``recorded`` as sent while it is the record's time; else that one, as of any record."""
    sent = str(resource["recorded"])
    own = parse_date_time(sent).ns
    if own == time:
        return resource | {"recorded": sent if is_usual(sent) else format_ns(time)}
    period = resource.get("period")
    if not period and own is not None:
        period = {"start": format_ns(own), "end": format_ns(own)}
    return without_gaps(resource | {"recorded": format_ns(time), "period": period})


def _unreadable(record: IndexedRecord) -> Json:
    """What is known: when, from where, and why no more is known."""
    peer = record.body.get("peer", {})
    address = string(host_of(str(peer.get("address", "")))) or NOT_TOLD
    why = "; ".join(one["message"] for one in record.body["findings"]) or UNREADABLE
    return {
        "type": untold("error") | {"display": UNREADABLE},
        "recorded": format_ns(record.time),
        "outcomeDesc": string(why),
        "agent": [
            {
                "who": {"display": "The sender of the message"},
                "requestor": False,
                "network": {"address": address, "type": _ADDRESS_TYPE_IP},
            }
        ],
        "source": {"observer": {"display": string(record.first("host")) or address}},
        "entity": [
            {
                "what": {"display": "The message as received"},
                "description": f"Kept whole in the journal as {record.id}",
            }
        ],
    }
