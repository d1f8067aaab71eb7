"""The FHIR feed: AuditEvents over HTTP → the journal, octet for octet.

What a client posted is what is journaled; of a batch each event's own octets. An event is accepted
when it can be parsed as a JSON object that says it is an AuditEvent; how good it is, its record
will say, as of any message.

Source: IHE ITI TF-2 3.20 (ATX: FHIR Feed); FHIR R4 3.1.0.8 (create), 3.1.0.11 (batch).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audit.errors import RequestError
from audit.fhir.audit_event import TYPE
from audit.fhir.options import FhirOptions
from audit.fhir.values import Json
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail
from audit.record.json_input import is_json, read_object
from audit.record.xml_input import DEFAULT_LIMITS, Refused

LISTENER = "fhir"
"""How these records came in."""

AppendAll = Callable[[Sequence[bytes], str], tuple[int, ...]]
"""Messages and the sender's address → durable sequences in their order."""

_SPACE = " \t\r\n"
_BOM = b"\xef\xbb\xbf"
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one event.

    Attributes:
        record_id: its id, once it is durable; empty when it was refused.
        refused: why, in words that quote nothing.
    """

    record_id: str = ""
    refused: str = ""


class FhirFeed:
    """Takes events in. Safe to use from several threads.

    Args:
        trail: journals attempts of those who may not.
        append_all: makes messages durable.
        options: limits.
    """

    def __init__(self, trail: AuditedTrail, append_all: AppendAll, options: FhirOptions) -> None:
        self._trail = trail
        self._append_all = append_all
        self._options = options

    def create(self, principal: Principal, octets: bytes) -> str:
        """Journal one event; its id, once it is durable. Needs ``events:write``.

        Raises:
            RequestError: it is no AuditEvent in JSON.
            Denied, JournalUnavailable, JournalBusy: nothing was taken.
        """
        self._admit(principal)
        _check(octets)
        return self._ids(self._append_all((octets,), principal.address))[0]

    def batch(self, principal: Principal, octets: bytes) -> list[Taken]:
        """Journal the events of a Bundle; what became of each. Needs ``events:write``.

        Raises:
            RequestError: it is no batch, or holds too many events.
            Denied, JournalUnavailable, JournalBusy: some of the events may be durable; they are
                recognised as repeats when the batch is sent again.
        """
        self._admit(principal)
        entries = _entries(octets, self._options.max_bundle_entries)
        faults = [_fault(entry) for entry in entries]
        good = [entry.resource for entry, fault in zip(entries, faults, strict=True) if not fault]
        ids = iter(self._ids(self._append_all(good, principal.address) if good else ()))
        return [Taken(refused=fault) if fault else Taken(next(ids)) for fault in faults]

    def _admit(self, principal: Principal) -> None:
        self._trail.require(principal, Scope.EVENTS_WRITE, (("interface", "ITI-20 FHIR feed"),))

    def _ids(self, sequences: Sequence[int]) -> list[str]:
        origin = self._trail.reader.origin
        return [f"{origin}-{sequence}" for sequence in sequences]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a batch: its own octets, and what it asks for."""

    resource: bytes
    method: str
    url: str


def _check(octets: bytes) -> None:
    """Raises RequestError when the octets are no AuditEvent in JSON."""
    if _read(octets).get("resourceType") != TYPE:
        raise RequestError("the body is no AuditEvent")


def _read(octets: bytes) -> Json:
    if not is_json(octets):
        raise RequestError("the body is no JSON object")
    try:
        return read_object(octets, DEFAULT_LIMITS).value
    except Refused as refused:
        raise RequestError(f"the body can't be read: {refused.finding.rule}") from refused


def _fault(entry: _Entry) -> str:
    """Why an entry is refused; empty when it isn't."""
    if (entry.method, entry.url.strip("/")) != ("POST", TYPE):
        return "only POST AuditEvent is taken"
    try:
        _check(entry.resource)
    except RequestError as error:
        return str(error)
    return ""


def _entries(octets: bytes, most: int) -> list[_Entry]:
    """The entries of a batch.

    Raises:
        RequestError: it is no batch, or a too large one.
    """
    bundle = _read(octets)
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "batch":
        raise RequestError("the body is no Bundle of type batch")
    told = bundle.get("entry", [])
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        raise RequestError("the entries of the Bundle can't be read")
    if len(told) > most:
        raise RequestError(f"the Bundle has {len(told)} entries; allowed are {most}")
    text = octets.removeprefix(_BOM).decode("utf-8")
    resources = list(resources_in(text))
    return [
        _Entry(resource.encode(), *_request(entry))
        for entry, resource in zip(told, resources, strict=True)
    ]


def _request(entry: Json) -> tuple[str, str]:
    request: Any = entry.get("request")
    asked = request if isinstance(request, dict) else {}
    return str(asked.get("method", "")), str(asked.get("url", ""))


def resources_in(text: str) -> Iterator[str]:
    """The text of each entry's resource as it was written; empty for an entry without one.

    Args:
        text: well-formed JSON of one object, no name in it twice.
    """
    for name, place in _members(text, _blank(text, 0)):
        if name == "entry":
            for entry in _items(text, place):
                spans = dict(_members(text, entry))
                yield _value(text, spans["resource"]) if "resource" in spans else ""


def _value(text: str, place: int) -> str:
    return text[place : _end(text, place)]


def _end(text: str, place: int) -> int:
    _, end = _DECODER.raw_decode(text, place)
    return end


def _blank(text: str, place: int) -> int:
    """The next place that isn't white space."""
    while text[place] in _SPACE:
        place += 1
    return place


def _members(text: str, place: int) -> Iterator[tuple[str, int]]:
    """Name and beginning of the value of each member of the object at ``place``."""
    place = _blank(text, place + 1)
    while text[place] != "}":
        name, place = _DECODER.raw_decode(text, place)
        place = _blank(text, _blank(text, place) + 1)
        yield name, place
        place = _after(text, place)


def _items(text: str, place: int) -> Iterator[int]:
    """The beginning of each item of the array at ``place``."""
    place = _blank(text, place + 1)
    while text[place] != "]":
        yield place
        place = _after(text, place)


def _after(text: str, place: int) -> int:
    """Behind the value at ``place`` and the comma after it, if there is one."""
    place = _blank(text, _end(text, place))
    return _blank(text, place + 1) if text[place] == "," else place
