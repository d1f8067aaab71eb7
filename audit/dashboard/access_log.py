"""The access log: who looked at what, read from the repository's own Audit Log Used records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.beside import course_of
from audit.dashboard.context import PageContext, see_other
from audit.dashboard.fault import fault_of
from audit.dashboard.forms import Form
from audit.dashboard.query_form import filters_of, query_of
from audit.dashboard.review import own_search
from audit.dashboard.review_view import ReviewView
from audit.dashboard.visitors import Visitor, check_own_form
from audit.errors import QuerySyntaxError
from audit.index.document import IndexedRecord
from audit.query.access import Scope
from audit.query.narrowing import Beside, narrowing
from audit.query.roles import OWN_USE_QUERY

_LABELS = {
    "query": "Searched for",
    "overview of": "Counted by",
    "view": "Saw",
    "record": "Record",
    "neighbours of": "Neighbours of",
    "seconds": "Within seconds",
    "same": "Sharing",
}
"""Details of our own records in words; others are shown as they are named."""

_BARS = 60
_USERS = 12
_REASONS = frozenset({"reason", "purpose"})
_COUNTS = frozenset({"records shown", "records exported"})
_PATIENTS = "patients shown"
_NOT_ASKED = _REASONS | _COUNTS | {_PATIENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the trail.

    Attributes:
        id: of the record of it.
        time: UTC nanoseconds.
        user: value of the field ``user``.
        name: of the person or process.
        place: from where.
        asked: what was asked: kind, the kind in words, and text of each part.
        counted: how many records were shown or exported; empty when the record doesn't say.
        patients: identifiers of the patients that were shown, unless there were too many to name.
        patient_count: how many they were; empty when the record doesn't say.
        reason: as it was given; empty for none.
        refused: why it was refused; empty when it was not.
    """

    id: str
    time: int
    user: str
    name: str
    place: str
    asked: tuple[tuple[str, str, str], ...]
    counted: str
    patients: tuple[str, ...]
    patient_count: str
    reason: str
    refused: str


def look_of(record: IndexedRecord) -> Look:
    """What the record of a look says, in parts."""
    message: Mapping[str, Any] = record.body.get("message") or {}
    who: Mapping[str, Any] = next(iter(message.get("participants", ())), {})
    details = list(_details(message))
    failed = record.first("outcome") not in {"success", ""}
    event: Mapping[str, Any] = message.get("event") or {}
    return Look(
        id=record.id,
        time=record.time,
        user=who.get("user_id") or "",
        name=who.get("user_name") or who.get("user_id") or "",
        place=who.get("address") or "",
        asked=tuple(
            (name, _LABELS.get(name, name.capitalize()), value)
            for name, value in details
            if _is_asked(name, value)
        ),
        counted=next((value for name, value in details if name in _COUNTS), ""),
        patients=record.values("patient"),
        patient_count=next((value for name, value in details if name == _PATIENTS), ""),
        reason=next((value for name, value in details if name in _REASONS), ""),
        refused=(event.get("outcome_description") or "refused") if failed else "",
    )


def _details(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in message.get("objects", ()):
        for detail in one["details"]:
            yield detail["type"], detail["value"]


def _is_asked(name: str, value: str) -> bool:
    """Whether a detail says what was asked; an empty query asks for everything."""
    return name not in _NOT_ASKED and bool(value or name == "query")


def posted_log(context: PageContext, request: Request, form: Form) -> Response:
    """Keep the filters and lead on to their address."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    _admit(context, visitor)
    asked = {name: value.strip() for name, value in form.items()}
    query = query_of(asked, context.options.zone)
    saved = context.state.saved_searches.save(visitor.owner, query)
    return see_other(f"/access-log/{saved.id}")


def access_log(context: PageContext, request: Request, search_id: str = "") -> Response:
    """The log, or the part of it that kept filters ask for; reading it is recorded as well."""
    visitor = context.visitor(request)
    _admit(context, visitor)
    query = own_search(context, visitor, search_id) if search_id else ""
    view = ReviewView.of(request.query_params, context.options.rows)
    values: dict[str, Any] = {
        "query": query,
        "filters": filters_of(query, context.options.zone),
        "view": view,
        "path": request.url.path,
        "fault": None,
        "answer": None,
    }
    try:
        values |= _results(context, visitor, query, view)
    except QuerySyntaxError as error:
        values["fault"] = fault_of(error, query)
    return context.page("access_log.html", values, visitor=visitor)


def _admit(context: PageContext, visitor: Visitor) -> None:
    """Let whoever may see the repository's own records pass; raises Denied for others."""
    for scope in (Scope.AUDIT_READ, Scope.EVENTS_READ):
        context.search.trail.require(visitor.principal, scope, (("view", "access log"),))


def _results(
    context: PageContext, visitor: Visitor, query: str, view: ReviewView
) -> dict[str, Any]:
    context.search.check(visitor.principal, query)
    whole = f"{OWN_USE_QUERY} ({query})" if query else OWN_USE_QUERY
    answer = context.search.search(
        visitor.principal, whole, limit=view.rows, cursor=view.after or None
    )
    bars = _BARS if answer.records else 0
    beside = Beside(facets=(("requestor", _USERS),), bars=bars, split=None, recorded=True)
    found = narrowing(context.search.trail, visitor.principal, whole, beside)
    return {
        "answer": answer,
        "looks": [look_of(record) for record in answer.records],
        "users": found.facets.get("requestor", ()),
        "course": course_of(found.bars, found.span, context.options.zone),
    }
