"""What an event demands of its participants."""

from collections.abc import Iterator
from typing import TypeAlias

from audit.record.audit_message import ActiveParticipant, AuditMessage
from audit.record.findings import Finding, finding
from audit.record.location import numbered
from audit.standards import code_tables
from audit.standards.event_table import EventRow, ParticipantRow

Placed: TypeAlias = tuple[str, ActiveParticipant, frozenset[str]]
"""Path, participant, and the codes of its roles."""
_ROOT = "/AuditMessage"
_ATTRIBUTE_RULES = {"event": "participant-attribute-missing", "ihe": "ihe-participant-attribute"}
_REQUESTOR_RULES = {"event": "participant-requestor", "ihe": "ihe-participant-requestor"}


def judge_participants(message: AuditMessage, row: EventRow, family: str) -> Iterator[Finding]:
    """Breaches by participants of the event; ``family`` is ``event`` or ``ihe``."""
    participants = message.active_participants
    placed = [
        (
            f"{_ROOT}/{numbered('ActiveParticipant', index, len(participants))}",
            one,
            frozenset([role.csd_code for role in one.role_id_codes]),
        )
        for index, one in enumerate(participants)
    ]
    for wanted in row.participants:
        yield from _judge_row(placed, wanted, row, family)
    if row.requestors == "exactly-one":
        yield from _judge_exactly_one(placed, row)


def _judge_exactly_one(placed: list[Placed], row: EventRow) -> Iterator[Finding]:
    requestors = [path for path, one, _ in placed if one.user_is_requestor]
    if len(requestors) != 1 and placed:
        path = requestors[1] if requestors else placed[0][0]
        yield finding(
            "requestor-exactly-one",
            f"{len(requestors) or 'no'} participants are requestors, exactly one is expected",
            path=f"{path}/@UserIsRequestor",
            clause=row.clause,
        )


def _judge_row(
    placed: list[Placed], wanted: ParticipantRow, row: EventRow, family: str
) -> Iterator[Finding]:
    if not wanted.role:
        yield from _judge_open_role(placed, wanted, row, family)
        return
    fitting = [(path, one) for path, one, roles in placed if wanted.role in roles]
    if len(fitting) < wanted.minimum and not _has_stand_in(placed, wanted):
        yield _missing(wanted, row, family)
    if wanted.maximum and len(fitting) > wanted.maximum:
        yield finding(
            f"{family}-participant-surplus",
            f"{len(fitting)} participants in role {wanted.role}, {wanted.maximum} expected",
            path=fitting[wanted.maximum][0],
            clause=row.clause,
        )
    for path, one in fitting:
        yield from _judge_one(path, one, wanted, row, family)


def _missing(wanted: ParticipantRow, row: EventRow, family: str) -> Finding:
    name = code_tables.table("role_id").name_of(wanted.role)
    coded = f"{wanted.role} ({name})" if name else wanted.role
    return finding(
        f"{family}-participant-missing",
        f"{row.transaction or row.name} lacks the participant {wanted.name!r} in role {coded}",
        path=_ROOT,
        clause=row.clause,
        fix=f"Add an ActiveParticipant with RoleIDCode {coded}.",
    )


def _has_stand_in(placed: list[Placed], wanted: ParticipantRow) -> bool:
    return any(
        roles & wanted.alternative_roles and any(_has(one, name) for name in wanted.one_of)
        for _, one, roles in placed
    )


def _judge_open_role(
    placed: list[Placed], wanted: ParticipantRow, row: EventRow, family: str
) -> Iterator[Finding]:
    """A role that the table leaves open is filled when one participant meets the row."""
    if not (wanted.minimum and (wanted.required or wanted.requestor)) or not placed:
        return
    judged = [list(_judge_one(path, one, wanted, row, family)) for path, one, _ in placed]
    if all(judged):
        yield from judged[0]


def _judge_one(
    path: str, one: ActiveParticipant, wanted: ParticipantRow, row: EventRow, family: str
) -> Iterator[Finding]:
    if wanted.requestor and one.user_is_requestor is not (wanted.requestor == "true"):
        yield finding(
            _REQUESTOR_RULES[family],
            f"{wanted.name} must have UserIsRequestor {wanted.requestor}",
            path=f"{path}/@UserIsRequestor",
            clause=row.clause,
        )
    for name in wanted.required:
        if not _has(one, name):
            yield finding(
                _ATTRIBUTE_RULES[family],
                f"{wanted.name} has no {name}",
                path=path,
                clause=row.clause,
            )
    if wanted.one_of and not any(_has(one, name) for name in wanted.one_of):
        yield finding(
            "media-unidentified",
            f"{wanted.name} has none of {', '.join(wanted.one_of)}",
            path=path,
            clause=row.clause,
        )


def _has(one: ActiveParticipant, name: str) -> bool:
    match name:
        case "MediaType":
            return one.media_type is not None
        case "NetworkAccessPointID":
            return bool(one.network_access_point_id)
        case "NetworkAccessPointTypeCode":
            return bool(one.network_access_point_type_code)
        case _:
            return bool(one.alternative_user_id)
