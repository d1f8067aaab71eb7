"""The parameters of Retrieve Syslog Event [ITI-82]: what each looks at, from one table.

Source: IHE ITI TF-2 3.82; the table is ``schemas/ihe/syslog-search.toml``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from audit.fhir.values import Json
from audit.index.criteria import Criteria, Everything, Or, Term, fold
from audit.index.document import IndexedRecord
from audit.standards.files import read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogParameter:
    """One parameter.

    Attributes:
        name: as the client writes it.
        looks_at: a part of the header, ``msg``, or a part of the audit message.
        fields: keyword fields of the index of which one holds the value.
        meaning: what it asks.
    """

    name: str
    looks_at: str
    fields: tuple[str, ...]
    meaning: str


@cache
def syslog_parameters() -> dict[str, SyslogParameter]:
    """Every parameter but ``date`` by its name."""
    return {
        name: SyslogParameter(
            name=name,
            looks_at=row["looks_at"],
            fields=tuple(row.get("fields", ())),
            meaning=row["meaning"],
        )
        for name, row in read_toml("ihe/syslog-search.toml")["parameter"].items()
    }


def narrowing(parameter: SyslogParameter, value: str) -> Criteria:
    """Criteria that every record with the value meets.

    None narrow ``msg``: the index holds the words of values, but neither those of markup nor the
    parts of times and UIDs, and nobody can tell which of them a value asks for.
    """
    if not parameter.fields:
        return Everything()
    return Or(tuple(Term(field, value) for field in parameter.fields))


def has_value(
    parameter: SyslogParameter, value: str, record: IndexedRecord, header: Mapping[str, str]
) -> bool:
    """Whether the record has the value.

    Args:
        parameter: which.
        value: as asked.
        record: as the index holds it.
        header: the message's parts, as the answer tells them.
    """
    if parameter.looks_at == "msg":
        return fold(value) in fold(header["msg"])
    if parameter.looks_at in header:
        return fold(value) == fold(header[parameter.looks_at])
    wanted = fold(value)
    return any(fold(one) == wanted for one in _PARTS[parameter.looks_at](record))


def _event_id(record: IndexedRecord) -> list[str]:
    return _code_and_text(_message(record).get("event", {}).get("id"))


def _event_types(record: IndexedRecord) -> list[str]:
    types = _message(record).get("event", {}).get("types", ())
    return [one for code in types for one in _code_and_text(code)]


def _code_and_text(code: Mapping[str, str] | None) -> list[str]:
    return [code["code"], code["text"]] if code else []


def _users(requestor: bool) -> Callable[[IndexedRecord], list[str]]:
    def named(record: IndexedRecord) -> list[str]:
        participants = _message(record).get("participants", ())
        return [one["user_id"] for one in participants if one["is_requestor"] is requestor]

    return named


def _message(record: IndexedRecord) -> Json:
    message: Json | None = record.body["message"]
    return message or {}


_PARTS: Mapping[str, Callable[[IndexedRecord], list[str]]] = {
    "event_id": _event_id,
    "event_type": _event_types,
    "requestor": _users(requestor=True),
    "receiver": _users(requestor=False),
}
