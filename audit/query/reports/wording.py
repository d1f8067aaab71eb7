"""What a record says, in the words of a report's cells; nothing of a patient that wasn't asked."""

import re
from collections.abc import Iterable
from typing import Any

from audit.index.document import IndexedRecord
from audit.standards.code_tables import event_name

JsonObject = dict[str, Any]

SOURCE, DESTINATION = "110153", "110152"
_MEDIA = frozenset({"110154", "110155"})
_TECHNICAL = frozenset({"110150", "110151", DESTINATION, SOURCE, "110156"})
_ACTIONS = {"C": "create", "R": "read", "U": "update", "D": "delete", "E": "execute"}
_XUA = re.compile(r"[^<>]*<([^<>]+@[^<>@]+)>\s*")
_STUDY, _DOCUMENT = "110180", "9"
BETWEEN = "; "


def message_of(record: IndexedRecord) -> JsonObject:
    """The record's message; empty parts for one that could not be read."""
    empty: JsonObject = {"event": None, "participants": [], "sources": [], "objects": []}
    return record.body.get("message") or empty


def participants(record: IndexedRecord) -> list[JsonObject]:
    """Whoever took part, media left out."""
    every: list[JsonObject] = message_of(record)["participants"]
    return [one for one in every if not has_role(one, *_MEDIA)]


def has_role(participant: JsonObject, *codes: str) -> bool:
    """Whether it is in one of the roles."""
    return any(role["code"] in codes for role in participant["roles"])


def user_key(participant: JsonObject) -> str:
    """By which one counts a participant: ``user@issuer`` of XUA, else UserID, else the other."""
    for part in ("user_name", "user_id", "alternative_user_id"):
        if found := _XUA.fullmatch(participant[part] or ""):
            return found[1].strip()
    return (participant["user_id"] or "").strip() or (
        participant["alternative_user_id"] or ""
    ).strip()


def shown_name(participant: JsonObject) -> str:
    """Name and identifier."""
    key, name = user_key(participant), (participant["user_name"] or "").strip()
    if not name or name == key:
        return key or "somebody unnamed"
    return f"{name} ({key})" if key else name


def is_system(participant: JsonObject) -> bool:
    """Whether it is surely a program or a machine: an AE, or in a technical role only."""
    titles = (participant["alternative_user_id"] or "").strip().upper().startswith("AETITLE")
    technical = bool(participant["roles"]) and all(
        role["code"] in _TECHNICAL for role in participant["roles"]
    )
    return titles or (technical and not participant["is_requestor"])


def people(record: IndexedRecord) -> list[JsonObject]:
    """The people who acted: who is a requestor, else whoever is not surely a program."""
    every = [one for one in participants(record) if not is_system(one)]
    return [one for one in every if one["is_requestor"]] or every


def in_role(record: IndexedRecord, code: str) -> list[JsonObject]:
    """Participants in a role."""
    return [one for one in participants(record) if has_role(one, code)]


def names(found: Iterable[JsonObject]) -> str:
    """Their names, each once."""
    return BETWEEN.join(dict.fromkeys(map(shown_name, found)))


def addresses(found: Iterable[JsonObject]) -> str:
    """Their network access points, each once."""
    return BETWEEN.join(dict.fromkeys(one["address"] for one in found if one["address"]))


def act(record: IndexedRecord) -> str:
    """What was done: the event's name, its types, what kind of it, and the action."""
    event = message_of(record)["event"]
    if event is None:
        return "a message that could not be read"
    sent = event["id"]
    name = event_name(sent["code"]) or sent["text"] or sent["code"] or "unnamed event"
    types = [one["text"] or one["code"] for one in event["types"]]
    action = _ACTIONS.get(event["action"] or "", "")
    told = {one.casefold(): one for one in (action, record.first("kind"), *types) if one}
    more = ", ".join(reversed(told.values()))
    return f"{name} ({more})" if more else name


def outcome(record: IndexedRecord) -> str:
    """How it ended."""
    return record.first("outcome").replace("-", " ")


def purposes(record: IndexedRecord) -> str:
    """For which purposes of use, by text and code."""
    event = message_of(record)["event"] or {"purposes": []}
    told = (
        f"{one['text']} ({one['code']})"
        if one["text"] and one["text"] != one["code"]
        else one["code"] or one["text"]
        for one in event["purposes"]
    )
    return BETWEEN.join(dict.fromkeys(filter(None, told)))


def node(record: IndexedRecord) -> str:
    """Which system reported it."""
    return record.first("node") or record.first("host") or "unnamed sender"


def data_objects(record: IndexedRecord) -> list[JsonObject]:
    """Studies and documents among the objects."""
    kinds = {_STUDY, _DOCUMENT}
    return [one for one in message_of(record)["objects"] if one["id_type"]["code"] in kinds]


def described(record: IndexedRecord) -> str:
    """Which data: studies and documents with their names and numbers of instances."""
    told = []
    for one in data_objects(record):
        name = (one["name"] or "").strip()
        counts = [cls["instances"] for cls in one["sop_classes"] if cls["instances"]]
        more = f", {sum(counts)} instances" if counts else ""
        what = "study" if one["id_type"]["code"] == _STUDY else "document"
        told.append(f"{name or what} [{one['id']}]{more}")
    return BETWEEN.join(dict.fromkeys(told))
