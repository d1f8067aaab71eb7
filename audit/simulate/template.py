"""A scene as a format string: built and serialised once, filled many times."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from audit.record.audit_message import AuditMessage
from audit.record.build import Outcome
from audit.record.serialise import serialise
from audit.simulate.scenes import Slots

_NOTICE, _WARNING = 5, 4
_STAND_INS = {
    "when": "2001-02-03T04:05:06.789+07:00",
    "src": "\ue001",
    "u_id": "\ue002",
    "u_name": "\ue003",
    "u_alt": "\ue004",
    "u_addr": "203.0.113.201",
    "a_pid": "\ue005",
    "a_name": "\ue006",
    "a_aet": "SLOT_A_AET",
    "a_addr": "203.0.113.202",
    "b_pid": "\ue007",
    "b_name": "\ue008",
    "b_aet": "SLOT_B_AET",
    "b_addr": "203.0.113.203",
    "pid": "\ue009",
    "pname": "\ue00a",
    "study": "2.999.910001",
    "described": "\ue00b",
    "accession": "\ue00c",
    "sop_class": "2.999.910002",
    "count": "910003910003",
    "query": b64encode(b"stand-in for a query").decode(),
    "reason": b64encode(b"stand-in for a reason").decode(),
    "media": "media://slot",
    "label": "\ue00d",
    "subject": "\ue00e",
    "log": "log://slot",
}
"""For each slot a value that passes the builder's checks and occurs nowhere else."""


@dataclass(frozen=True)
class Template:
    """A scene with its choices made; slot values need no XML escape (``facts`` sees to it)."""

    scene: Callable[..., AuditMessage]
    choices: tuple[Any, ...]

    @cached_property
    def _format(self) -> str:
        text = serialise(self.message(_STAND_INS)).decode().replace("%", "%%")
        for slot, stand_in in _STAND_INS.items():
            text = text.replace(stand_in, f"%({slot})s")
        return text

    def message(self, slots: Slots) -> AuditMessage:
        """The message by way of the builder."""
        return self.scene(slots, *self.choices)

    @cached_property
    def severity(self) -> int:
        """Of the syslog header: notice, or warning for what failed (ITI-20)."""
        outcomes = [choice for choice in self.choices if isinstance(choice, Outcome)]
        return _NOTICE if all(outcome is Outcome.SUCCESS for outcome in outcomes) else _WARNING

    def fill(self, slots: Slots) -> bytes:
        """The XML: what ``serialise(self.message(slots))`` gives, some fifty times faster."""
        return (self._format % slots).encode()


@cache
def template(scene: Callable[..., AuditMessage], *choices: Any) -> Template:
    """The one template of a scene and its choices."""
    return Template(scene, choices)
