"""Records for eyes that need not know the patient: pseudonyms in place of what identifies one.

What identifies is the rule and what may stay is the exception: ``schemas/access/field_level.toml``
names the exceptions. Whatever else a record says in words is searched for the values hidden in it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from audit.index.criteria import fold, words_of
from audit.index.document import IndexedRecord
from audit.query.pseudonyms import Pseudonyms
from audit.standards import files
from audit.standards.rules import rule

MASK = "…"
HIDDEN_TEXT = frozenset({"text"})
QUERY_KEY = "query_key"
SHORTEST_WORD = 3
"""Shorter values and words are hidden only where they stand alone: they occur in any text."""

_OURS = frozenset(
    {
        *("category", "kind", "outcome", "listener", "severity", "verdict", "tier", "dialect"),
        *("finding", "peer", "repeat_of"),
    }
)
"""Fields whose values are words and digests of our own, never the sender's."""

_TIMES = frozenset({"date_time", "timestamp"})

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldLevel:
    """What identifies a patient, and what doesn't.

    Attributes:
        kinds: the word that pseudonyms of a field begin with, by field.
        plain_roles: ParticipantObjectTypeCodeRoles of objects that are no patient's.
        plain_id_types: ParticipantObjectIDTypeCodes of such.
        plain_details: types of details that name no patient.
        plain_keys: query keys that name no patient.
        plain_phrases: words by which anybody may search.
    """

    kinds: dict[str, str]
    plain_roles: frozenset[str]
    plain_id_types: frozenset[str]
    plain_details: frozenset[str]
    plain_keys: frozenset[str]
    plain_phrases: frozenset[str]


@cache
def field_level() -> FieldLevel:
    """The table of ``schemas/access/field_level.toml``."""
    table = files.read_toml("access/field_level.toml")
    return FieldLevel(
        kinds=dict(table["pseudonym"]),
        plain_roles=frozenset(table["plain_object"]["roles"]),
        plain_id_types=frozenset(table["plain_object"]["id_types"]),
        plain_details=frozenset(table["plain_detail"]["types"]),
        plain_keys=frozenset(map(fold, table["plain_key"]["keywords"])),
        plain_phrases=frozenset(table["plain_phrase"]["phrases"]),
    )


def is_protected(field: str) -> bool:
    """Whether values of the field identify a patient or lead to one."""
    return field in field_level().kinds or field == QUERY_KEY or field in HIDDEN_TEXT


def is_senders(field: str) -> bool:
    """Whether a sender may write anything into the field, also what identifies a patient."""
    return field not in _OURS and not is_protected(field)


class Disguise:
    """Puts pseudonyms in the place of what identifies patients."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms

    def of(self, field: str, value: str) -> str:
        """The pseudonym of a value of a protected field; equal after folding, equal pseudonym."""
        if field == QUERY_KEY:
            keyword, _, sought = value.partition("=")
            return f"{keyword}={self.sought(keyword, sought)}"
        return self._pseudonyms.of(field_level().kinds[field], fold(value))

    def sought(self, keyword: str, value: str) -> str:
        """What a query key asked for."""
        if not value.strip() or fold(keyword.rpartition(".")[2]) in field_level().plain_keys:
            return value
        return self._pseudonyms.of("value", fold(value))

    def record(self, record: IndexedRecord) -> IndexedRecord:
        """The record with patients, studies and what else leads to a patient as pseudonyms."""
        one = _Disguised(self, record)
        return replace(record, fields=one.fields(), body=one.body())


class _Disguised:
    """One record's disguise."""

    def __init__(self, disguise: Disguise, record: IndexedRecord) -> None:
        self._disguise = disguise
        self._record = record
        self._hidden = {
            fold(value): disguise.of(field, value)
            for field in field_level().kinds
            if field != "object"
            for value in record.values(field)
        }
        message = record.body.get("message") or {}
        self._objects: list[JsonObject] = message.get("objects") or []
        self._plain_ids = {one["id"] for one in self._objects if _is_plain(one)}
        self._said = replacer(self._hidden, record.values("patient_name"))

    def fields(self) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(self._value(name, value) for value in values)
            for name, values in self._record.fields.items()
            if name not in HIDDEN_TEXT
        }

    def _value(self, name: str, value: str) -> str:
        if name == "object":
            return self._object_id(value)
        if is_protected(name):
            return self._disguise.of(name, value)
        return value if name in _OURS else self._said(value)

    def _object_id(self, value: str) -> str:
        if value in self._plain_ids:
            return self._said(value)
        for one in self._objects:
            if one["id"] == value and one["patients"]:
                return " ".join(self._disguise.of("patient", name) for name in one["patients"])
        return self._hidden.get(fold(value)) or self._disguise.of("object", value)

    def body(self) -> JsonObject:
        body = self._record.body
        message = body.get("message")
        return body | {
            "inferred": {
                name: [self._value(name, value) for value in values]
                for name, values in (body.get("inferred") or {}).items()
            },
            "header": _deeply(body.get("header") or {}, self._said),
            "findings": [_finding(one) for one in body.get("findings") or ()],
            "message": None if message is None else self._message(message),
        }

    def _message(self, message: JsonObject) -> JsonObject:
        others = {name: part for name, part in message.items() if name != "objects"}
        shown: JsonObject = _deeply(others, self._said)
        return shown | {"objects": [self._object(one) for one in self._objects]}

    def _object(self, one: JsonObject) -> JsonObject:
        of, is_plain = self._disguise.of, _is_plain(one)
        shown: JsonObject = _deeply(one, self._said)
        return shown | {
            "id": self._object_id(one["id"]),
            "name": self._said(one["name"] or "") if is_plain else self._name(one),
            "patients": [of("patient", value) for value in one["patients"]],
            "query": [[key, self._disguise.sought(key, value)] for key, value in one["query"]],
            "details": [self._detail(detail) for detail in one["details"]],
            "accessions": [of("accession", value) for value in one["accessions"]],
            "studies": [of("study", value) for value in one["studies"]],
            "mpps": [of("object", value) for value in one["mpps"]],
        }

    def _detail(self, detail: JsonObject) -> JsonObject:
        is_plain = detail["type"] in field_level().plain_details
        return detail | {"value": self._said(detail["value"]) if is_plain else MASK}

    def _name(self, one: JsonObject) -> str:
        """A patient's name as pseudonym; of other objects a name says too much to be kept."""
        name = (one["name"] or "").strip()
        if not name or not one["patients"] or name in {one["id"], *one["patients"]}:
            return ""
        return self._disguise.of("patient_name", name)


def _is_plain(one: JsonObject) -> bool:
    level = field_level()
    if one["patients"] or one["role"] == "1":
        return False
    return one["role"] in level.plain_roles or one["id_type"]["code"] in level.plain_id_types


def _finding(found: JsonObject) -> JsonObject:
    """A finding in the words of its rule: its own may quote the message."""
    try:
        known = rule(found["rule"])
    except KeyError:  # found by another version, whose words can't be told from the sender's
        return found | {"message": "", "fix": ""}
    return found | {"message": known.title, "fix": known.fix}


def replacer(hidden: dict[str, str], names: Iterable[str]) -> Callable[[str], str]:
    """What replaces hidden values, and the words of hidden names, wherever a text has them."""
    known = {word: MASK for name in names for word in words_of(name)} | hidden
    longest_first = sorted(known, key=len, reverse=True)
    sought = [value for value in longest_first if len(value) >= SHORTEST_WORD]
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in sought))

    def replaced(text: str) -> str:
        folded = fold(text)
        if folded in hidden:
            return hidden[folded]
        if not sought or not pattern.search(folded):
            return text
        return pattern.sub(lambda found: known[found[0]], folded)

    return replaced


def _deeply(value: Any, change: Callable[[str], str]) -> Any:
    """The JSON-able value with every text in it changed, times excepted; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: one if key in _TIMES else _deeply(one, change) for key, one in value.items()}
    return [_deeply(one, change) for one in value] if isinstance(value, list) else value
