"""ParticipantObjects → patients, studies, queries, alerts' subjects (PS3.15 A.5.1, A.5.3)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from audit.index.document import IndexedRecord
from audit.siem.values import LARGEST, Facts, Found, JsonObject, ip_of, present
from audit.standards.files import read_toml

_STUDY, _SOP_CLASS, _NODE, _USER_ID = "110180", "110181", "110182", "11"
_STANDARD_UID = re.compile(r"1\.2\.840\.10008(\.[0-9]{1,12}){1,12}")
_NODE_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_USER_ROLE = "11"
"""Security User Entity (RFC 3881 5.5.2)."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a message is about.

    Attributes:
        facts: facts of all objects.
        keys: decoded query keys with their values, in order.
        identities: (kind, value) of all that identifies a patient or leads to one, to be hidden
            wherever else the record has it.
    """

    facts: Found
    keys: tuple[tuple[str, str], ...]
    identities: tuple[tuple[str, str], ...]


@cache
def plain_query_keys() -> dict[str, re.Pattern[str]]:
    """Query keys of which the value may stay, with the form that it must have."""
    forms = read_toml("siem/facts.toml")["plain_query_key"]
    return {keyword: re.compile(form) for keyword, form in forms.items()}


def kind_of_key(keyword: str) -> str:
    """What the pseudonym of a query key's value begins with."""
    kinds: dict[str, str] = read_toml("siem/facts.toml")["query_key_kind"]
    return kinds.get(innermost(keyword), "value")


def innermost(keyword: str) -> str:
    """``PatientID`` of ``OtherPatientIDsSequence.PatientID``."""
    return keyword.rpartition(".")[2]


def is_plain(keyword: str, value: str) -> bool:
    """Whether the value of a query key names no patient, whoever sent it."""
    form = plain_query_keys().get(innermost(keyword))
    return form is not None and form.fullmatch(value.strip()) is not None


def subjects_of(record: IndexedRecord, objects: Sequence[JsonObject]) -> Subjects:
    """Facts and identities of all objects of a message."""
    keys = tuple((pair[0], pair[1]) for one in objects for pair in one.get("query") or ())
    found = _collected(objects)
    facts: Found = {
        **found,
        "patients": (*record.values("patient"), *found["patients"]),
        "patient_names": (*record.values("patient_name"), *found["patient_names"]),
        "studies": (*record.values("study"), *found["studies"]),
        "accessions": (*record.values("accession"), *found["accessions"]),
        "sop_classes": filter(_is_standard, (*record.values("sop_class"), *found["sop_classes"])),
        "instances": (_instances(objects),),
        "query": (f"{keyword}={value}" for keyword, value in keys if value),
    }
    given = {name: present(values) for name, values in facts.items()}
    return Subjects(dict(given), keys, tuple(_identities(given, objects, keys)))


def _collected(objects: Iterable[JsonObject]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        name: []
        for name in (
            *("patients", "patient_names", "studies", "accessions", "sop_classes", "objects"),
            *("subject_user", "subject_node", "subject_ip", "object_names", "details"),
        )
    }
    for one in objects:
        patients = one.get("patients") or ()
        if patients:  # the whole may hold more than the identifiers: they stand for it
            found["patients"].extend(patients)
        else:
            found[_sort_of(one)].append(one.get("id"))
        found["patient_names" if patients else "object_names"].append(one.get("name"))
        found["studies"].extend(one.get("studies") or ())
        found["objects"].extend(one.get("mpps") or ())
        found["accessions"].extend(one.get("accessions") or ())
        found["sop_classes"].extend(c["uid"] for c in one.get("sop_classes") or ())
        found["details"].extend(f"{d['type']}={d['value']}" for d in one.get("details") or ())
    return found


def _sort_of(one: JsonObject) -> str:
    """The fact that an object's id belongs to; whatever is in doubt identifies."""
    identifier = str(one.get("id") or "").strip()
    code = (one.get("id_type") or {}).get("code")
    if code == _STUDY:
        return "studies"
    if code == _SOP_CLASS and _is_standard(identifier):
        return "sop_classes"
    if ip_of(identifier):
        return "subject_ip"
    if code == _NODE and _NODE_NAME.fullmatch(identifier):
        return "subject_node"
    if code == _USER_ID or one.get("role") == _USER_ROLE:
        return "subject_user"
    return "objects"


def _is_standard(uid: Any) -> bool:
    """Whether a UID stands in the standard: any other may be that of a study or an instance."""
    return isinstance(uid, str) and _STANDARD_UID.fullmatch(uid) is not None


def _instances(objects: Iterable[JsonObject]) -> int | None:
    counts = [c["instances"] for one in objects for c in one.get("sop_classes") or ()]
    known = [count for count in counts if count is not None]
    return min(sum(known), LARGEST) if known else None


def _identities(
    facts: Facts, objects: Iterable[JsonObject], keys: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    kinds = read_toml("siem/facts.toml")["fact"]
    for name in ("patients", "patient_names", "studies", "accessions", "objects"):
        yield from ((kinds[name], str(value)) for value in facts.get(name, ()))
    for one in objects:
        if one.get("patients"):
            yield "patient", str(one.get("id") or "")
    for keyword, value in keys:
        if not is_plain(keyword, value):
            yield from ((kind_of_key(keyword), part) for part in value.split("\\"))
