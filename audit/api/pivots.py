"""Pivots: everything about one patient, study, user, node or address; neighbours in time."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated, Literal

from fastapi import APIRouter, Security
from pydantic import Field, StringConstraints
from starlette.responses import Response

from audit.api.events import COMMON, EventId, json_answer
from audit.api.schemas import (
    DEFAULT_ITEMS,
    ByIdentities,
    IncludeRepeats,
    Limit,
    PageCursor,
    SearchAnswer,
    Sort,
    Strict,
)
from audit.errors import QuerySyntaxError, RequestError
from audit.query.access import Principal, Scope
from audit.query.identities import ByAllNames
from audit.query.language import term_text
from audit.query.neighbours import Neighbourhood
from audit.query.one_patient import AboutPatient
from audit.query.search import SearchService
from audit.web.declared import scoped
from audit.web.openapi import problem_answers

LONGEST_VALUE = 512
LONGEST_NARROWING = 2_048
LONGEST_WINDOW_S = 86_400
_NAMED = frozenset({"patient", "user"})
"""Kinds that may have other names."""

PivotKind = Literal["patient", "study", "user", "node", "address"]
Shared = Literal["patient", "study", "user", "requestor", "node", "address", "peer", "source"]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_VALUE)]


class PivotRequest(Strict):
    """Whom or what to turn to."""

    value: Identifier = Field(
        description="Identifier of the patient, Study Instance UID, user, AuditSourceID, or "
        "address or network.",
        examples=["P48003"],
    )
    assigner: Identifier | None = Field(
        default=None, description="Assigning authority of the identifier; of patients only."
    )
    query: Annotated[str, StringConstraints(max_length=LONGEST_NARROWING)] = Field(
        default="", description="Narrows the answer, in the query language."
    )
    limit: Limit = DEFAULT_ITEMS
    cursor: PageCursor = None
    include_repeats: IncludeRepeats = False
    sort: Sort = "newest"
    identities: ByIdentities = True


class NeighboursRequest(Strict):
    """What counts as near."""

    window_s: int = Field(
        default=300, ge=1, le=LONGEST_WINDOW_S, description="Greatest distance in time."
    )
    same: list[Shared] = Field(
        default=[], max_length=8, description="Fields of which they share a value with the record."
    )
    limit: Limit = DEFAULT_ITEMS
    include_repeats: IncludeRepeats = False


def add_pivot_routes(
    routes: APIRouter, search: SearchService, admitted: Callable[..., Principal]
) -> None:
    """Add ``/pivots/{kind}`` and ``/events/{event_id}/neighbours``."""
    caller = Annotated[Principal, Security(admitted)]

    @routes.post(
        "/pivots/{kind}",
        tags=["pivots"],
        operation_id="pivots_search",
        summary="Everything about one patient, study, user, node or address",
        response_model=SearchAnswer,
        responses=problem_answers(*COMMON, 413, 422),
        openapi_extra=scoped(Scope.EVENTS_READ),
    )
    def pivots_search(principal: caller, kind: PivotKind, asked: PivotRequest) -> Response:
        """Records that name it, a page at a time; about a patient, without other patients."""
        about = pivot_query(kind, asked.value, asked.assigner)
        text = f"{about} ({asked.query})" if asked.query.strip() else about
        query = ByAllNames(text) if asked.identities and kind in _NAMED else text
        try:
            answer = search.search(
                principal,
                AboutPatient(query, asked.value) if kind == "patient" else query,
                limit=asked.limit,
                cursor=asked.cursor,
                include_repeats=asked.include_repeats,
                oldest_first=asked.sort == "oldest",
            )
        except QuerySyntaxError as error:
            raise _placed(error, len(about) + len(" (")) from error
        return json_answer(answer.as_dict())

    @routes.post(
        "/events/{event_id}/neighbours",
        tags=["pivots"],
        operation_id="events_neighbours",
        summary="Neighbours in time of one record",
        response_model=SearchAnswer,
        responses=problem_answers(*COMMON, 404, 413, 422),
        openapi_extra=scoped(Scope.EVENTS_READ),
    )
    def events_neighbours(
        principal: caller, event_id: EventId, asked: NeighboursRequest
    ) -> Response:
        """The records nearest in time to it, itself among them, newest first; no next page."""
        near = Neighbourhood(
            window_s=asked.window_s,
            same=tuple(dict.fromkeys(asked.same)),
            include_repeats=asked.include_repeats,
        )
        answer = search.neighbours(principal, event_id, near, limit=asked.limit)
        return json_answer(answer.as_dict())


def pivot_query(kind: PivotKind, value: str, assigner: str | None = None) -> str:
    """The pivot in the query language.

    Raises:
        RequestError: an assigner is given for something else than a patient.
        QuerySyntaxError: the value is blank.
    """
    if not value.strip():
        raise QuerySyntaxError("the value is blank", pointer="#/value")
    if assigner is not None and kind != "patient":
        raise RequestError("an assigner belongs to a patient's identifier only")
    about = _network(value) if kind == "address" else None
    about = about or term_text(kind, value)
    return f"{about} {term_text('assigner', assigner)}" if assigner else about


def _network(value: str) -> str | None:
    try:
        return f"address:{ip_network(value.strip(), strict=False)}" if "/" in value else None
    except ValueError:
        return None


def _placed(error: QuerySyntaxError, offset: int) -> QuerySyntaxError:
    """The error at its place in what the caller wrote."""
    if error.column < offset:
        return QuerySyntaxError(str(error), pointer="#/value")
    return QuerySyntaxError(str(error), error.column - offset)
