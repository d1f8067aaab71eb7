"""What happened, said in sentences: structured parts that a page can link, quote and escape.

    Mara Voss opened the study CT Thorax of Doe^Jane (P48003).

A part's text is as it was sent, control characters and all: whoever shows it must escape it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audit.index.document import IndexedRecord
from audit.query import event_view
from audit.query.event_view import EventView

MOST_NAMED = 3
"""How many patients, studies or keys a sentence names before it counts the rest."""


MOST_OF_QUERY = 120
"""Characters of a question that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence.

    Attributes:
        text: what to show.
        field: the field of the query language under which ``value`` finds like events; empty for
            plain words.
        value: exact value of that field.
    """

    text: str
    field: str = ""
    value: str = ""


Sentence = tuple[Part, ...]
_Parts = list[Part]


@dataclass(frozen=True, slots=True)
class _Verb:
    past: str
    base: str

    def said(self, view: EventView) -> Part:
        return Part(f" {self.past} " if view.succeeded else f" tried to {self.base} ")


_ACCESS = {
    "C": _Verb("created", "create"),
    "R": _Verb("opened", "open"),
    "U": _Verb("changed", "change"),
    "D": _Verb("deleted from", "delete from"),
}
_RECORD = _ACCESS | {"R": _Verb("read", "read"), "D": _Verb("deleted", "delete")}
_USE = _Verb("used", "use")
_ASK = _Verb("asked", "ask")
_EXPORT = _Verb("exported", "export")
_IMPORT = _Verb("imported", "import")
_BEGIN = _Verb("began to send", "begin to send")
_SEND = _Verb("sent", "send")
_DELETE = _Verb("deleted", "delete")
_READ_LOG = _Verb("read", "read")
_AUTHENTICATION = {
    "login": ("signed in", "tried to sign in"),
    "logout": ("signed out", "tried to sign out"),
}
_APPLICATION = {
    "start": "was started",
    "stop": "was stopped",
    "attach": "joined the network",
    "detach": "left the network",
}


def sentences(record: IndexedRecord) -> tuple[Sentence, ...]:
    """What happened, how it ended, from where, why: each a sentence, the first the main one."""
    message = record.body.get("message")
    if message is None:
        return (_unreadable(record), *_unreadable_reason(record))
    view = EventView(record, message)
    parts = (main_parts(view), _outcome(view), _place(view), _purpose(view))
    return tuple((*one, Part(".")) for one in parts if one)


def summary(record: IndexedRecord) -> str:
    """The main sentence as plain text."""
    return "".join(part.text for part in sentences(record)[0])


def main_parts(view: EventView) -> _Parts:
    """The main sentence without its full stop."""
    make = _BY_CATEGORY.get(view.record.first("category"), _other)
    return make(view)


def _unreadable(record: IndexedRecord) -> Sentence:
    peer = record.body["peer"]["address"] or "an unknown sender"
    whole = "The beginning of a longer message" if record.body.get("truncated") else "A message"
    return (Part(f"{whole} that can't be read came from "), Part(peer, "address", peer), Part("."))


def _unreadable_reason(record: IndexedRecord) -> Iterator[Sentence]:
    for found in record.body.get("findings", ()):
        if found["severity"] == "error":
            yield (Part(f"{found['message']}.", "finding", found["rule"]),)
            return


def _named(one: dict[str, Any] | None, nobody: str) -> Part:
    """A participant by name."""
    if one is None:
        return Part(nobody)
    return Part(event_view.name_of(one), "user", one["user_id"])


def _listed(parts: Iterable[Part], counted: str) -> _Parts:
    """``a, b and c``; beyond MOST_NAMED the rest is counted."""
    every = list(parts)
    shown = every[:MOST_NAMED]
    if len(every) > MOST_NAMED:
        shown.append(Part(f"{len(every) - MOST_NAMED} more {counted}"))
    joined: _Parts = []
    for place, part in enumerate(shown):
        if place:
            joined.append(Part(" and " if place == len(shown) - 1 else ", "))
        joined.append(part)
    return joined


def _patients(view: EventView) -> _Parts:
    return _listed((Part(shown, "patient", value) for shown, value in view.patients()), "patients")


def _studies(view: EventView) -> _Parts:
    parts = [Part(shown, "study", value) for shown, value in view.studies()]
    if not parts:
        return [Part("data")]
    return [Part("the study " if len(parts) == 1 else "the studies "), *_listed(parts, "studies")]


def _subject(view: EventView) -> _Parts:
    """``the study … of …``."""
    patients = _patients(view)
    return [*_studies(view), *([Part(" of "), *patients] if patients else [])]


def _query(view: EventView) -> _Parts:
    keys = _listed((Part(f"{k} {v}", "key", f"{k}={v}") for k, v in view.query_keys()), "keys")
    asked = [_named(view.actor, "Somebody"), _ASK.said(view), _named(view.destination, "a system")]
    if not keys:
        keys = _patients(view)
    return [*asked, Part(" for "), *(keys or [Part("whatever it holds")])]


def _access(view: EventView) -> _Parts:
    verb = _ACCESS.get(view.action, _USE)
    return [_named(view.actor, "Somebody"), verb.said(view), *_subject(view)]


def _medium(view: EventView) -> Part | None:
    medium = view.medium
    if medium is None:
        return None
    kind = medium["media"]["text"] if medium["media"] else ""
    return Part(f"{kind} {medium['user_id']}".strip(), "object", medium["user_id"])


def _export(view: EventView) -> _Parts:
    goal = _medium(view) or _named(view.destination, "an unnamed place")
    actor = _named(view.actor, "Somebody")
    return [actor, _EXPORT.said(view), *_subject(view), Part(" to "), goal]


def _import(view: EventView) -> _Parts:
    origin = _medium(view) or _named(view.source, "an unnamed place")
    actor = _named(view.actor, "Somebody")
    return [actor, _IMPORT.said(view), *_subject(view), Part(" from "), origin]


def _transfer(view: EventView) -> _Parts:
    verb = _BEGIN if view.record.first("event") == event_view.BEGIN_TRANSFERRING else _SEND
    source, goal = _named(view.source, "A system"), _named(view.destination, "a system")
    return [source, verb.said(view), *_subject(view), Part(" to "), goal]


def _deletion(view: EventView) -> _Parts:
    return [_named(view.actor, "Somebody"), _DELETE.said(view), *_subject(view)]


def _authentication(view: EventView) -> _Parts:
    done, tried = _AUTHENTICATION.get(
        view.record.first("kind"), ("authenticated", "tried to authenticate")
    )
    return [_named(view.actor, "Somebody"), Part(f" {done if view.succeeded else tried}")]


def _security(view: EventView) -> _Parts:
    names = ", ".join(view.type_names()) or "Security alert"
    about = [Part(name, "object", value) for name, value in view.alert_subjects()]
    said = [Part(names, "type", view.record.first("event_type"))]
    if about:
        said += [Part(" alert about "), *_listed(about, "things")]
    return [*said, Part(" raised by "), _named(view.actor, "a system")]


def _application(view: EventView) -> _Parts:
    kind = view.record.first("kind")
    started = _named(view.application, "An application")
    by = view.launcher
    said = [started, Part(f" {_APPLICATION.get(kind, 'was active')}")]
    return [*said, Part(" by "), _named(by, "")] if by is not None else said


def _record(view: EventView) -> _Parts:
    verb = _RECORD.get(view.action, _USE)
    kind = view.record.first("kind") or "patient"
    patients = _patients(view)
    said = [_named(view.actor, "Somebody"), verb.said(view), Part(f"the {kind} record")]
    return [*said, Part(" of "), *patients] if patients else said


def _audit_log_used(view: EventView) -> _Parts:
    said = [_named(view.actor, "Somebody"), _READ_LOG.said(view), Part("the audit log")]
    query = " ".join(view.detail("query").split())
    if not query:
        return said
    cut = query if len(query) <= MOST_OF_QUERY else f"{query[:MOST_OF_QUERY]}…"
    return [*said, Part(" for "), Part(cut)]


def _other(view: EventView) -> _Parts:
    patients = _patients(view)
    said = [Part(view.event_name, "event", view.record.first("event")), Part(" by ")]
    said.append(_named(view.actor, "somebody"))
    return [*said, Part(" about "), *patients] if patients else said


_BY_CATEGORY: dict[str, Callable[[EventView], _Parts]] = {
    "query": _query,
    "access": _access,
    "export": _export,
    "import": _import,
    "transfer": _transfer,
    "deletion": _deletion,
    "authentication": _authentication,
    "security": _security,
    "application": _application,
    "record": _record,
    "audit-log-used": _audit_log_used,
}


def _outcome(view: EventView) -> _Parts:
    name = view.record.first("outcome")
    described = view.outcome_description
    if view.is_alert and name != event_view.SUCCESS and name:
        said = Part(f"The alert is of {event_view.GRAVITY[name]} gravity", "outcome", name)
    elif view.succeeded:
        return []
    else:
        said = Part(f"It ended in {name.replace('-', ' ')}", "outcome", name)
    return [said, Part(f": {described.rstrip('.')}")] if described else [said]


def _place(view: EventView) -> _Parts:
    said: _Parts = []
    address = (view.actor or {}).get("address")
    if address:
        said += [Part("It was done at "), Part(address, "address", address)]
    for node in view.record.values("node")[:1]:
        said += [Part(" and reported by " if said else "It was reported by ")]
        said += [Part(node, "node", node)]
    return said


def _purpose(view: EventView) -> _Parts:
    purposes = [Part(text, "purpose", code) for code, text in view.purposes()]
    return [Part("The purpose given is "), *_listed(purposes, "purposes")] if purposes else []
