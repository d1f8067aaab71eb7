"""What an event demands of its participants."""

from collections.abc import Iterator
from typing import NamedTuple

from audit.record.audit_message import ActiveParticipant, AuditMessage
from audit.record.findings import Finding, finding
from audit.record.location import numbered
from audit.standards import code_tables
from audit.standards.event_table import EventRow, ParticipantRow


class Placed(NamedTuple):
    """A participant, the codes of its roles, and its place among so many."""

    one: ActiveParticipant
    roles: frozenset[str]
    place: int
    among: int

    @property
    def path(self) -> str:
        """Where it stands; put together for findings only."""
        return f"{_ROOT}/{numbered('ActiveParticipant', self.place, self.among)}"


_ROOT = "/AuditMessage"
_ATTRIBUTE_RULES = {"event": "participant-attribute-missing", "ihe": "ihe-participant-attribute"}
_REQUESTOR_RULES = {"event": "participant-requestor", "ihe": "ihe-participant-requestor"}


def judge_participants(message: AuditMessage, row: EventRow, family: str) -> Iterator[Finding]:
    """Breaches by participants of the event; ``family`` is ``event`` or ``ihe``."""
    participants = message.active_participants
    placed = [
        Placed(
            one,
            frozenset([role.csd_code for role in one.role_id_codes]),
            index,
            len(participants),
        )
        for index, one in enumerate(participants)
    ]
    for wanted in row.participants:
        yield from _judge_row(placed, wanted, row, family)
    if row.requestors == "exactly-one":
        yield from _judge_exactly_one(placed, row)


def _judge_exactly_one(placed: list[Placed], row: EventRow) -> Iterator[Finding]:
    requestors = [part for part in placed if part.one.user_is_requestor]
    if len(requestors) != 1 and placed:
        path = (requestors[1] if requestors else placed[0]).path
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
    fitting = [part for part in placed if wanted.role in part.roles]
    if len(fitting) < wanted.minimum and not _has_stand_in(placed, wanted):
        yield _missing(wanted, row, family)
    counted = _counted(fitting, row)
    if wanted.maximum and len(counted) > wanted.maximum:
        yield finding(
            f"{family}-participant-surplus",
            f"{len(counted)} participants in role {wanted.role}, {wanted.maximum} expected",
            path=counted[wanted.maximum].path,
            clause=row.clause,
        )
    for part in fitting:
        yield from _judge_one(part, wanted, row, family)


def _counted(fitting: list[Placed], row: EventRow) -> list[Placed]:
    """Those that the table counts: third parties who are the requestor may have any role.

    So has the person in DICOM's own example (PS3.17 WW.1).
    """
    if all(other.role for other in row.participants):
        return fitting
    return [part for part in fitting if not part.one.user_is_requestor]


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
        part.roles & wanted.alternative_roles
        and any(_has(part.one, name) for name in wanted.one_of)
        for part in placed
    )


def _judge_open_role(
    placed: list[Placed], wanted: ParticipantRow, row: EventRow, family: str
) -> Iterator[Finding]:
    """A role that the table leaves open is filled when one participant meets the row."""
    if not (wanted.minimum and (wanted.required or wanted.requestor)) or not placed:
        return
    first = list(_judge_one(placed[0], wanted, row, family))
    if first and all(any(_judge_one(part, wanted, row, family)) for part in placed[1:]):
        yield from first


def _judge_one(
    part: Placed, wanted: ParticipantRow, row: EventRow, family: str
) -> Iterator[Finding]:
    one = part.one
    if wanted.requestor and one.user_is_requestor is not (wanted.requestor == "true"):
        yield finding(
            _REQUESTOR_RULES[family],
            f"{wanted.name} must have UserIsRequestor {wanted.requestor}",
            path=f"{part.path}/@UserIsRequestor",
            clause=row.clause,
        )
    for name in wanted.required:
        if not _has(one, name):
            yield finding(
                _ATTRIBUTE_RULES[family],
                f"{wanted.name} has no {name}",
                path=part.path,
                clause=row.clause,
            )
    yield from _judge_access_point(part, wanted, row, family)
    if wanted.one_of and not any(_has(one, name) for name in wanted.one_of):
        yield finding(
            "media-unidentified",
            f"{wanted.name} has none of {', '.join(wanted.one_of)}",
            path=part.path,
            clause=row.clause,
        )


def _judge_access_point(
    part: Placed, wanted: ParticipantRow, row: EventRow, family: str
) -> Iterator[Finding]:
    kind = (part.one.network_access_point_type_code or "").strip()
    if kind and wanted.access_point_types and kind not in wanted.access_point_types:
        yield finding(
            _ATTRIBUTE_RULES[family],
            f"{wanted.name} has the NetworkAccessPointTypeCode {kind!r:.10}, "
            f"expected {' or '.join(wanted.access_point_types)}",
            path=f"{part.path}/@NetworkAccessPointTypeCode",
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
