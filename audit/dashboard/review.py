"""The review: filters in, records out, with nothing that names anybody in an address.

A posted search is kept and shown under ``/s/{id}``; only its owner can open it. Links carry
nothing but parameters that name nobody.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext, see_other
from audit.dashboard.forms import Form
from audit.dashboard.query_form import (
    NON_IDENTIFYING,
    TERMS,
    and_term,
    filters_of,
    query_of,
    query_of_link,
)
from audit.dashboard.rows import rows_of
from audit.dashboard.visitors import Visitor, check_own_form
from audit.errors import NotFound, QuerySyntaxError
from audit.query.language import term_text
from audit.query.search import Shape
from audit.standards.fields import field_named

FACETS = {
    "category": "Category",
    "outcome": "Outcome",
    "requestor": "User",
    "patient": "Patient",
    "node": "Sender",
    "finding": "Finding",
}
"""Field → heading of the lists beside the results, in order."""

_FACET_SIZE = 6
_CARET_BEFORE = 60
"""Characters of a query shown before a fault; the rest of a long one is cut."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a query can't be read; ``caret`` is the blank before the mark, None without one."""

    text: str
    query: str
    column: int
    caret: str


def posted_search(context: PageContext, request: Request, form: Form) -> Response:
    """Keep the posted search and lead on to its address."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    asked = {name: value.strip() for name, value in form.items()}
    query = _posted_query(context, asked)
    saved = context.state.saved_searches.save(visitor.principal.name, query)
    return see_other(f"/s/{saved.id}")


def _posted_query(context: PageContext, form: Form) -> str:
    narrow, _, value = form.get("narrow", "").partition(":")
    if narrow in FACETS and value:
        return and_term(form.get("base", ""), narrow, value)
    query = query_of(form, context.options.zone)
    others = (name for name in form if name not in TERMS and form[name])
    terms = [term_text(name, form[name]) for name in others if _is_pivot(name)]
    return " ".join(filter(None, (query, *terms)))


def _is_pivot(name: str) -> bool:
    found = field_named(name)
    return found is not None and found.type == "keyword" and found.query_name == name


def saved_review(context: PageContext, request: Request, search_id: str) -> Response:
    """The results of a search kept before; another's id is as unknown as none."""
    visitor = context.visitor(request)
    saved = context.state.saved_searches.find(search_id)
    if saved is None or saved.owner != visitor.principal.name:
        raise NotFound("this search is not known: it has expired, or it is not yours")
    return _review(context, request, visitor, saved.query)


def open_review(context: PageContext, request: Request) -> Response:
    """The review without a kept search: everything, or what a link of ours asks for."""
    visitor = context.visitor(request)
    query = query_of_link(request.query_params, context.options.zone)
    return _review(context, request, visitor, query)


def _review(context: PageContext, request: Request, visitor: Visitor, query: str) -> Response:
    cursor = request.query_params.get("after")
    values: dict[str, Any] = {
        "query": query,
        "filters": filters_of(query, context.options.zone),
        "cursor": cursor,
        "fault": None,
        "answer": None,
    }
    try:
        values |= _results(context, request, visitor, query)
    except QuerySyntaxError as error:
        values["fault"] = _fault(error, query)
    return context.page("review.html", values, visitor=visitor)


def _results(
    context: PageContext, request: Request, visitor: Visitor, query: str
) -> dict[str, Any]:
    cursor = request.query_params.get("after")
    answer = context.search.search(
        visitor.principal, query, limit=context.options.rows, cursor=cursor
    )
    return {
        "answer": answer,
        "rows": rows_of(answer.records),
        "facets": _facets(context, visitor, query) if answer.records and not cursor else (),
        "first": _address(request, None),
        "next": _address(request, answer.next_cursor) if answer.next_cursor else None,
    }


def _facets(
    context: PageContext, visitor: Visitor, query: str
) -> list[tuple[str, str, tuple[tuple[str, int], ...]]]:
    shape = Shape(facets=tuple(FACETS), size=_FACET_SIZE)
    found = context.search.overview(visitor.principal, query, shape).facets
    return [(name, FACETS[name], found[name]) for name in FACETS if found.get(name)]


def _address(request: Request, cursor: str | None) -> str:
    """This page, or the one after the cursor: path, harmless parameters, opaque cursor."""
    kept = {name: value for name, value in request.query_params.items() if name in NON_IDENTIFYING}
    parameters = kept | ({"after": cursor} if cursor else {})
    return request.url.path + (f"?{urlencode(parameters)}" if parameters else "")


def _fault(error: QuerySyntaxError, query: str) -> Fault:
    start = max(0, error.column - _CARET_BEFORE)
    piece = " ".join(query[start : start + 2 * _CARET_BEFORE].splitlines())
    return Fault(str(error), piece, error.column, " " * (error.column - start))
