"""What an event demands of its participant objects."""

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

from audit.record.audit_message import (
    AuditMessage,
    ParticipantObject,
    ParticipantObjectDescription,
)
from audit.record.dicom_dataset import DEFAULT_LIMITS, looks_like_data_set
from audit.record.findings import Finding, finding
from audit.record.location import numbered
from audit.record.query_content import transfer_syntax
from audit.record.value_faults import is_oid
from audit.standards import code_tables, event_table
from audit.standards.event_table import EventRow, Mark, ObjectRow

Placed: TypeAlias = tuple[str, ParticipantObject]
_ROOT = "/AuditMessage"
_STUDY, _SOP_CLASS = "110180", "110181"
_QUERY_EVENT = "110112"
_STUDIES_TOLD = 20
"""More of one message say nothing new, and would leave no room for other findings."""
_SEVERAL_IDENTIFIERS = {"ITI-10", "ITI-46", "ITI-64"}
"""Transactions whose objects are identifiers of one patient."""
_RULES = {
    "event": {
        "type": "object-type",
        "id-type": "object-id-type",
        "life-cycle": "object-life-cycle",
        "query": "object-query-missing",
        "detail": "object-detail-missing",
    },
    "ihe": {
        "type": "ihe-object-type",
        "id-type": "ihe-object-id-type",
        "life-cycle": "ihe-object-life-cycle",
        "query": "ihe-object-query-missing",
        "detail": "ihe-object-detail-missing",
    },
}


def judge_objects(message: AuditMessage, row: EventRow, family: str) -> Iterator[Finding]:
    """Breaches by objects of the event; ``family`` is ``event`` or ``ihe``."""
    objects = message.participant_objects
    placed = [
        (f"{_ROOT}/{numbered('ParticipantObjectIdentification', index, len(objects))}", one)
        for index, one in enumerate(objects)
    ]
    action = _code(message.event_identification.event_action_code)
    for wanted in row.objects:
        if not wanted.actions or action in wanted.actions:
            yield from _judge_row(placed, wanted, row, family)
    if family == "event":
        has_studies = any(_STUDY in wanted.id_types for wanted in row.objects)
        for path, one in placed:
            if has_studies:
                yield from _judge_description(path, one, row)
            if row.event == _QUERY_EVENT:
                yield from _judge_dicom_query(path, one, row)
    else:
        yield from _judge_one_patient(placed, row)


def _judge_row(
    placed: list[Placed], wanted: ObjectRow, row: EventRow, family: str
) -> Iterator[Finding]:
    fitting = _fitting(placed, wanted)
    if wanted.mark and len(fitting) < wanted.minimum:
        yield _unmarked(wanted, wanted.mark, row, family)
        return
    near = _near(placed, wanted, row, family, wanted.minimum - len(fitting))
    for path, one in near:
        yield _nearly(path, one, wanted, row, family)
    if len(fitting) + len(near) < wanted.minimum:
        yield _missing(wanted, row, family)
    if wanted.maximum and len(fitting) > wanted.maximum:
        yield finding(
            f"{family}-object-surplus",
            f"{len(fitting)} objects {wanted.name!r}, at most {wanted.maximum} expected",
            path=fitting[wanted.maximum][0],
            clause=row.clause,
        )
    for path, one in fitting:
        yield from _judge_one(path, one, wanted, row, family)


def _near(
    placed: list[Placed], wanted: ObjectRow, row: EventRow, family: str, lacking: int
) -> list[Placed]:
    """The objects that were surely meant for this row: so many as lack, but every study."""
    is_study = family == "event" and _STUDY in wanted.id_types
    if lacking <= 0 and not is_study:
        return []
    others = [other for other in row.objects if other is not wanted]
    near = [
        (path, one)
        for path, one in placed
        if _is_near(one, wanted, family) and not any(_fits(one, other) for other in others)
    ]
    return near[: max(lacking, _STUDIES_TOLD)] if is_study else near[:lacking]


def _fitting(placed: list[Placed], wanted: ObjectRow) -> list[Placed]:
    """The objects that the row means.

    Where a query may have any identifier, it is told from other system objects by being one.
    """
    fitting = [(path, one) for path, one in placed if _fits(one, wanted)]
    if "ParticipantObjectQuery" in wanted.required and not wanted.id_types:
        return [(path, one) for path, one in fitting if has_query(one)] or fitting
    return fitting


def _unmarked(wanted: ObjectRow, mark: Mark, row: EventRow, family: str) -> Finding:
    return finding(
        _RULES[family]["detail"],
        f"no object has a ParticipantObjectDetail {mark.type} that says {min(mark.values)}",
        path=_ROOT,
        clause=row.clause,
        fix=f"Mark the object {wanted.name!r} by the base64 of that text.",
    )


def marks_of(one: ParticipantObject) -> frozenset[tuple[str, bytes | None]]:
    """The details by which an event or transaction tells the object from others."""
    types = _types_of_marks()
    return frozenset(
        (kind, detail.octets)
        for detail in one.participant_object_details
        if (kind := detail.type.strip()) in types
    )


@cache
def _types_of_marks() -> frozenset[str]:
    rows = (row for several in event_table.transactions().values() for row in several)
    return frozenset(one.mark.type for row in rows for one in row.objects if one.mark)


def _has_mark(one: ParticipantObject, mark: Mark) -> bool:
    said = {octets for kind, octets in marks_of(one) if kind == mark.type}
    return any(value.encode() in said for value in mark.values)


def _code(value: str | None) -> str:
    return (value or "").strip()


def _has_type_and_role(one: ParticipantObject, wanted: ObjectRow) -> bool:
    role = _code(one.participant_object_type_code_role)
    return (not wanted.types or _code(one.participant_object_type_code) in wanted.types) and (
        not wanted.roles or role in wanted.roles or role in wanted.tolerated_roles
    )


def _has_id_type(one: ParticipantObject, wanted: ObjectRow) -> bool:
    return not wanted.id_types or one.participant_object_id_type_code.csd_code in wanted.id_types


def _fits(one: ParticipantObject, wanted: ObjectRow) -> bool:
    return (
        _has_id_type(one, wanted)
        and _has_type_and_role(one, wanted)
        and (wanted.mark is None or _has_mark(one, wanted.mark))
    )


def names_other_system(one: ParticipantObject) -> bool:
    """Whether the identifier type is a number of RFC 3881 by its code, but not by its system.

    A code without system is of an older edition, other spellings are told by themselves, and what
    an OID stands for is not known here.
    """
    code = one.participant_object_id_type_code
    system = code.code_system_name
    if not system or "3881" in system or is_oid(system):
        return False
    return code.csd_code in code_tables.table("object_id_type_rfc3881").codes


def _is_near(one: ParticipantObject, wanted: ObjectRow, family: str) -> bool:
    """Whether the sender surely meant this row and got one code wrong.

    A study or SOP class without its own identifier type is not near: nothing else tells it from
    any other system object.
    """
    if _fits(one, wanted):
        return False
    if wanted.id_types and _has_id_type(one, wanted):
        return True
    return _has_type_and_role(one, wanted) and (wanted.is_patient or family == "ihe")


def _nearly(
    path: str, one: ParticipantObject, wanted: ObjectRow, row: EventRow, family: str
) -> Finding:
    if _has_type_and_role(one, wanted):
        sent = one.participant_object_id_type_code.csd_code
        return finding(
            _RULES[family]["id-type"],
            f"{wanted.name} has the identifier type {sent!r:.80}, "
            f"expected {' or '.join(wanted.id_types)}",
            path=f"{path}/ParticipantObjectIDTypeCode",
            clause=row.clause,
        )
    sent = (
        f"type {_code(one.participant_object_type_code) or 'none'} and "
        f"role {_code(one.participant_object_type_code_role) or 'none'}"
    )
    return finding(
        _RULES[family]["type"],
        f"{wanted.name} has {sent}, expected {_wanted_text(wanted)}",
        path=path,
        clause=row.clause,
    )


def _wanted_text(wanted: ObjectRow) -> str:
    parts = (
        ("type", wanted.types),
        ("role", wanted.roles),
        ("identifier type", wanted.id_types),
    )
    return ", ".join(f"{name} {' or '.join(codes)}" for name, codes in parts if codes)


def _missing(wanted: ObjectRow, row: EventRow, family: str) -> Finding:
    described = _wanted_text(wanted)
    return finding(
        f"{family}-object-missing",
        f"{row.transaction or row.name} lacks the object {wanted.name!r} ({described})",
        path=_ROOT,
        clause=row.clause,
        fix=f"Add a ParticipantObjectIdentification with {described}.",
    )


def _judge_one(
    path: str, one: ParticipantObject, wanted: ObjectRow, row: EventRow, family: str
) -> Iterator[Finding]:
    rules = _RULES[family]
    role = _code(one.participant_object_type_code_role)
    if role in wanted.tolerated_roles:
        yield finding(
            "object-role",
            f"role {role}, expected {' or '.join(wanted.roles)}",
            path=f"{path}/@ParticipantObjectTypeCodeRole",
        )
    if family == "event" and wanted.id_types and names_other_system(one):
        yield _of_other_system(path, one, wanted, row)
    cycle = _code(one.participant_object_data_life_cycle)
    if wanted.life_cycles and cycle not in wanted.life_cycles:
        yield finding(
            rules["life-cycle"],
            f"life cycle {cycle or 'none'}, expected {' or '.join(wanted.life_cycles)}",
            path=path,
            clause=row.clause,
        )
    if "ParticipantObjectQuery" in wanted.required and not has_query(one):
        empty = "no" if one.participant_object_query is None else "an empty"
        yield finding(
            rules["query"],
            f"{wanted.name} has {empty} ParticipantObjectQuery",
            path=path,
            clause=row.clause,
        )
    yield from _judge_details(path, one, wanted, row, rules["detail"])
    name = plain_name(one.participant_object_name)
    if wanted.names and name and name not in wanted.names:
        yield finding(
            "audit-log-name",
            f"the name is {name!r:.80}, expected {wanted.names[0]!r}",
            path=path,
        )


def _of_other_system(
    path: str, one: ParticipantObject, wanted: ObjectRow, row: EventRow
) -> Finding:
    system = one.participant_object_id_type_code.code_system_name
    return finding(
        _RULES["event"]["id-type"],
        f"the identifier type of {wanted.name} is a code of {system!r:.80}, expected RFC-3881",
        path=f"{path}/ParticipantObjectIDTypeCode",
        clause=row.clause,
    )


def _judge_details(
    path: str, one: ParticipantObject, wanted: ObjectRow, row: EventRow, rule: str
) -> Iterator[Finding]:
    sent = {detail.type.strip() for detail in one.participant_object_details}
    for spellings in wanted.details:
        if not sent.intersection(spellings):
            yield finding(
                rule,
                f"{wanted.name} has no ParticipantObjectDetail {' or '.join(sorted(spellings))}",
                path=path,
                clause=row.clause,
            )


def plain_name(name: str | None) -> str:
    """Without blanks around and between words but one: an object's name is a token (A.5.1)."""
    return " ".join((name or "").split())


def has_query(one: ParticipantObject) -> bool:
    """Whether there is a query with any content; blanks are none."""
    query = one.participant_object_query
    return bool(query) and not str(query).isspace()


def faults_of_query(one: ParticipantObject) -> tuple[bool, bool]:
    """Of the query to a SOP class: no transfer syntax is named; it is no data set.

    A SOP class without a query is another object than the query.
    """
    if one.participant_object_id_type_code.csd_code != _SOP_CLASS or not has_query(one):
        return False, False
    syntax = transfer_syntax(one)
    octets = one.query_octets
    return not syntax, bool(octets) and not looks_like_data_set(octets or b"", syntax)


def _judge_dicom_query(path: str, one: ParticipantObject, row: EventRow) -> Iterator[Finding]:
    nameless, undecodable = faults_of_query(one)
    if nameless:
        yield finding(
            "query-transfer-syntax",
            "the query names no transfer syntax",
            path=path,
            clause=row.clause,
        )
    if undecodable:
        syntax = transfer_syntax(one) or "that fits best"
        octets = len(one.query_octets or b"")
        is_large = octets > DEFAULT_LIMITS.max_octets
        yield finding(
            "query-undecodable",
            f"the query has {octets:,} octets, more than are looked at"
            if is_large
            else f"the query is no data set in the transfer syntax {syntax!r:.80}",
            path=f"{path}/ParticipantObjectQuery",
        )


def describes_without_sop_class(one: ParticipantObject) -> bool:
    """Whether what describes a study gives MPPS, Accession or flags but no SOPClass."""
    return _without_sop_class(one) is not None


def _without_sop_class(one: ParticipantObject) -> int | None:
    """Which of a study's descriptions asks for the SOPClass that none of them gives."""
    descriptions = _descriptions(one)
    if any(description.sop_classes for description in descriptions):
        return None
    return next((n for n, description in enumerate(descriptions) if _says_more(description)), None)


def _descriptions(one: ParticipantObject) -> tuple[ParticipantObjectDescription, ...]:
    is_study = one.participant_object_id_type_code.csd_code == _STUDY
    return one.participant_object_descriptions if is_study else ()


def _says_more(description: ParticipantObjectDescription) -> bool:
    says = description.mpps or description.accessions
    return bool(says) or description.encrypted is not None or description.anonymized is not None


def _judge_description(path: str, one: ParticipantObject, row: EventRow) -> Iterator[Finding]:
    index = _without_sop_class(one)
    if index is not None:
        among = len(one.participant_object_descriptions)
        yield finding(
            "sop-class-missing",
            "the description of a study gives MPPS, Accession, Encrypted or Anonymized, but "
            "no SOPClass",
            path=f"{path}/{numbered('ParticipantObjectDescription', index, among)}",
            clause=row.clause,
        )


def _judge_one_patient(placed: list[Placed], row: EventRow) -> Iterator[Finding]:
    is_told = any(wanted.is_patient and wanted.maximum == 1 for wanted in row.objects)
    patients = [path for path, one in placed if one.is_patient]
    if is_told or row.profile or row.transaction in _SEVERAL_IDENTIFIERS:
        return
    if len(patients) > 1:
        yield finding(
            "ihe-one-patient", f"{len(patients)} patients in one message", path=patients[1]
        )
