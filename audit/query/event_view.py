"""EventView: reads who, what and whose out of an indexed record's body."""

from collections.abc import Iterator
from typing import Any

from audit.index.document import IndexedRecord
from audit.standards.code_tables import event_name

SUCCESS = "success"
BEGIN_TRANSFERRING = "110102"
GRAVITY = {"minor-failure": "minor", "serious-failure": "serious", "major-failure": "major"}
"""In a Security Alert the outcome tells how grave it is (PS3.15 A.5.3.11)."""

_APPLICATION, _LAUNCHER, _DESTINATION, _SOURCE = "110150", "110151", "110152", "110153"
_MEDIA = frozenset({"110154", "110155"})
_STUDY = "110180"
_TECHNICAL_KEYS = frozenset(
    {"SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC"}
)
"""Keys that say how a query is to be read, not what it asks for (DICOM PS3.4 C.4.1.1.3)."""

JsonObject = dict[str, Any]


def name_of(participant: JsonObject) -> str:
    """The best name of a participant: UserName, else UserID, else AlternativeUserID."""
    for key in ("user_name", "user_id", "alternative_user_id"):
        if name := (participant.get(key) or "").strip():
            return str(name)
    return "somebody unnamed"


def _has(participant: JsonObject, code: str) -> bool:
    return any(role["code"] == code for role in participant["roles"])


class EventView:
    """One record with its message, in the words of the event."""

    def __init__(self, record: IndexedRecord, message: JsonObject) -> None:
        self.record = record
        self._event: JsonObject = message["event"]
        self._participants: list[JsonObject] = message["participants"]
        self._objects: list[JsonObject] = message["objects"]

    @property
    def is_alert(self) -> bool:
        """Whether the outcome is a gravity."""
        return self.record.first("category") == "security"

    @property
    def succeeded(self) -> bool:
        """Whether the act succeeded, as far as the message says otherwise."""
        return self.is_alert or self.record.first("outcome") in {SUCCESS, ""}

    @property
    def action(self) -> str:
        """EventActionCode or the empty string."""
        return str(self._event["action"] or "")

    @property
    def event_name(self) -> str:
        """The event's name in the standard, else as sent, else its code."""
        sent = self._event["id"]
        return str(event_name(sent["code"]) or sent["text"] or sent["code"])

    @property
    def outcome_description(self) -> str:
        """EventOutcomeDescription or the empty string."""
        return str(self._event["outcome_description"] or "").strip()

    def _in_role(self, code: str) -> JsonObject | None:
        return next((one for one in self._participants if _has(one, code)), None)

    @property
    def source(self) -> JsonObject | None:
        """The participant in role 110153."""
        return self._in_role(_SOURCE)

    @property
    def destination(self) -> JsonObject | None:
        """The participant in role 110152."""
        return self._in_role(_DESTINATION)

    @property
    def application(self) -> JsonObject | None:
        """The application that was started, or the node that entered the network."""
        return self._in_role(_APPLICATION) or self.actor

    @property
    def launcher(self) -> JsonObject | None:
        """Who started the application."""
        return self._in_role(_LAUNCHER)

    @property
    def medium(self) -> JsonObject | None:
        """The medium in role 110154 or 110155."""
        media = (one for one in self._participants if any(_has(one, code) for code in _MEDIA))
        return next(media, None)

    @property
    def actor(self) -> JsonObject | None:
        """Who did it: the requestor, else the first named, else the first; never a medium."""
        acting = [one for one in self._participants if not any(_has(one, code) for code in _MEDIA)]
        requestors = [one for one in acting if one["is_requestor"]]
        named = [one for one in acting if one["user_name"]]
        return next(iter([*requestors, *named, *acting]), None)

    def type_names(self) -> Iterator[str]:
        """The names of the event's types."""
        return (code["text"] or code["code"] for code in self._event["types"])

    def purposes(self) -> Iterator[tuple[str, str]]:
        """Code and text of each purpose of use."""
        return ((one["code"], one["text"] or one["code"]) for one in self._event["purposes"])

    def patients(self) -> list[tuple[str, str]]:
        """What to show and the identifier of each patient object, each once."""
        found: dict[str, str] = {}
        for one in self._objects:
            name = (one["name"] or "").strip()
            for identifier in one["patients"]:
                shown = identifier if name in {"", one["id"], identifier} else None
                found.setdefault(identifier, shown or f"{name} ({identifier})")
        return [(shown, identifier) for identifier, shown in found.items()]

    def studies(self) -> list[tuple[str, str]]:
        """What to show and the UID of each study object, each once."""
        found: dict[str, str] = {}
        for one in self._objects:
            if one["id_type"]["code"] == _STUDY:
                found.setdefault(one["id"], (one["name"] or "").strip() or one["id"])
        return [(shown, uid) for uid, shown in found.items()]

    def query_keys(self) -> list[tuple[str, str]]:
        """The query keys that have a value and say what is asked for."""
        keys = (pair for one in self._objects for pair in one["query"])
        return [(key, value) for key, value in keys if value and key not in _TECHNICAL_KEYS]

    def alert_subjects(self) -> list[tuple[str, str]]:
        """What to show and the id of each object of an alert."""
        return [((one["name"] or "").strip() or one["id"], one["id"]) for one in self._objects]

    def detail(self, name: str) -> str:
        """The first detail of this type of any object; the empty string without one."""
        details = (detail for one in self._objects for detail in one["details"])
        found = (detail["value"] for detail in details if detail["type"] == name)
        return next((str(value).strip() for value in found if value), "")
