"""The journal's own records of legal holds: what they say, and which holds follow from them.

The journal is what a hold rests on: who can change files of the state folder can't lift one.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from audit.errors import IntegrityViolation, MalformedMessage
from audit.frame.syslog import read_header
from audit.journal.entry import Entry, EntryKind
from audit.record.parse import parse

LISTENER = "cli"
"""The door that the operator's own records come in by."""

_LAID = "Legal hold is laid: "
_RELEASED = "Legal holds are released: "
_MARK = base64.b64encode(b"Legal hol")
"""How both begin in a record, where descriptions stand in base64."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold.

    Attributes:
        id: its name, made by ``new_hold_id``.
        case: the file number or name of the case that it belongs to.
        reason: why, for people.
        field: patient, study, user, or record.
        values: any of these; of records their ids.
        since: when it was laid (UTC nanoseconds).
        by: who laid it.
    """

    id: str
    case: str
    reason: str
    field: str
    values: tuple[str, ...]
    since: int
    by: str

    @property
    def text(self) -> str:
        """In one line, as JSON without any character that a signed note forbids."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Hold":
        """What ``text`` wrote.

        Raises:
            ValueError: it is no hold.
        """
        try:
            row = json.loads(text)
            return cls(**(row | {"values": tuple(row["values"])}))
        except (TypeError, KeyError) as error:
            raise ValueError(f"this is no hold: {error}") from error


def laid_text(hold: Hold) -> str:
    """The description of the record that lays a hold."""
    return _LAID + hold.text


def released_text(holds: Iterable[Hold]) -> str:
    """The description of the record that ends holds."""
    holds = list(holds)
    ended = {"ids": [one.id for one in holds], "cases": sorted({one.case for one in holds})}
    return _RELEASED + json.dumps(ended, sort_keys=True)


def is_hold_record(entry: Entry) -> bool:
    """Whether the entry lays or ends holds, so that it must stay; quick to say no."""
    received = entry.received
    return (
        received.listener == LISTENER
        and received.kind is EntryKind.MESSAGE
        and _MARK in received.raw
        and bool(_change_in(received.raw))
    )


def follow(holds: Iterable[Hold], entries: Iterable[Entry]) -> tuple[Hold, ...]:
    """The holds after these entries, which follow one another in the journal.

    Raises:
        IntegrityViolation: a record of the kind can't be read, so nobody knows what is held.
    """
    present = {hold.id: hold for hold in holds}
    for entry in entries:
        if entry.received.listener != LISTENER or _MARK not in entry.received.raw:
            continue
        what = _change_in(entry.received.raw)
        try:
            _apply(present, what)
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityViolation(
                f"entry {entry.sequence} changes legal holds in no known form: {error}"
            ) from error
    return tuple(present.values())


def _apply(present: dict[str, Hold], what: str) -> None:
    if what.startswith(_LAID):
        hold = Hold.parse(what.removeprefix(_LAID))
        present[hold.id] = hold
    elif what.startswith(_RELEASED):
        for name in json.loads(what.removeprefix(_RELEASED))["ids"]:
            present.pop(name, None)


def _change_in(raw: bytes) -> str:
    """The description of a change of holds; empty when the record is about something else."""
    try:
        message = parse(raw[read_header(raw).msg_offset :].removeprefix(_BOM))
    except MalformedMessage:
        return ""
    for told in message.participant_objects:
        for detail in told.participant_object_details:
            what = (detail.octets or b"").decode(errors="replace")
            if what.startswith((_LAID, _RELEASED)):
                return what
    return ""
