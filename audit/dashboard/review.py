"""The review: filters in, records out, with nothing that names anybody in an address.

A posted search is kept and shown under ``/s/{id}``; only its owner can open it. Links carry
nothing but parameters that name nobody.
"""

import shlex
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.beside import beside_results, time_bounds
from audit.dashboard.chips import chips_of
from audit.dashboard.context import PageContext, see_other
from audit.dashboard.exporting import forms_for
from audit.dashboard.fault import fault_of
from audit.dashboard.forms import Form
from audit.dashboard.query_form import (
    FORM_FIELDS,
    WAS,
    filters_of,
    query_of,
    query_of_link,
)
from audit.dashboard.query_terms import (
    and_not_term,
    and_term,
    bounded,
    joined,
    pieces_of,
    without,
)
from audit.dashboard.review_view import ROWS, ReviewView
from audit.dashboard.rows import rows_of
from audit.dashboard.visitors import Visitor, check_own_form
from audit.errors import NotFound, QuerySyntaxError
from audit.query.access import Scope
from audit.query.answers import Answer
from audit.query.identities import ByAllNames
from audit.query.language import term_text
from audit.query.search import PageAsked
from audit.standards.fields import field_named

RANGES = {"-1h": "1 hour", "-24h": "24 hours", "-7d": "7 days", "-30d": "30 days"}
"""Stretches of time up to now that one click asks for."""

_BOX = ("query", WAS, *FORM_FIELDS)
_NAMED = frozenset({"patient", "user", "requestor"})
_TIME_NAMES = frozenset({"after", "before", "time"})


def posted_search(context: PageContext, request: Request, form: Form) -> Response:
    """Keep the posted search and lead on to its address."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    query = posted_query(context, {name: value.strip() for name, value in form.items()})
    context.search.trail.require(visitor.principal, Scope.EVENTS_READ, (("query", query),))
    saved = context.state.saved_searches.save(visitor.owner, query)
    return see_other(ReviewView.of(form, context.options.rows).address(f"/s/{saved.id}"))


def posted_query(context: PageContext, form: Form) -> str:
    """The query that a posted form asks for: its box and fields, or one step from ``was``."""
    zone, was = context.options.zone, form.get(WAS, "")
    for step, change in (("narrow", and_term), ("exclude", and_not_term)):
        name, _, value = form.get(step, "").partition(":")
        if is_exact_field(name) and value:
            return change(was, name, value)
    if form.get("drop", "").isdecimal():
        return without(was, int(form["drop"]))
    if form.get("span"):
        start, end = time_bounds(form["span"], zone)
        return f"{bounded(_without_times(was))} after:{start} before:{end}".strip()
    if form.get("range") in RANGES:
        return f"{bounded(_without_times(was))} after:{form['range']}".strip()
    query = query_of(form, zone)
    terms = [term_text(name, form[name]) for name in form if _is_asked(name, form)]
    return " ".join(filter(None, (bounded(query) if terms else query, *terms)))


def _without_times(query: str) -> str:
    kept = [one for one in pieces_of(query) if one.negated or one.name not in _TIME_NAMES]
    return joined(kept)


def _is_asked(name: str, form: Mapping[str, str]) -> bool:
    return name not in _BOX and bool(form[name]) and is_exact_field(name)


def is_exact_field(name: str) -> bool:
    """Whether the query language has a keyword field of this name."""
    found = field_named(name)
    return found is not None and found.type == "keyword" and found.query_name == name


def saved_review(context: PageContext, request: Request, search_id: str) -> Response:
    """The results of a search kept before; another's id is as unknown as none."""
    visitor = context.visitor(request)
    query = own_search(context, visitor, search_id)
    return _review(context, request, visitor, query)


def own_search(context: PageContext, visitor: Visitor, search_id: str) -> str:
    """The text of a search that the visitor kept; raises NotFound for any other."""
    saved = context.state.saved_searches.find(search_id)
    if saved is None or saved.owner != visitor.owner:
        raise NotFound("this search is not known: it has expired, or it is not yours")
    return saved.query


def open_review(context: PageContext, request: Request) -> Response:
    """The review without a kept search: everything, or what a link of ours asks for."""
    visitor = context.visitor(request)
    query = query_of_link(request.query_params, context.options.zone)
    return _review(context, request, visitor, query)


def _review(context: PageContext, request: Request, visitor: Visitor, query: str) -> Response:
    view = ReviewView.of(request.query_params, context.options.rows)
    values: dict[str, Any] = {
        "query": query,
        "filters": filters_of(query, context.options.zone),
        "chips": chips_of(pieces_of(query), context.options.zone),
        "ranges": RANGES,
        "row_choices": sorted({*ROWS, context.options.rows}),
        "view": view,
        "path": request.url.path,
        "forms": forms_for(visitor),
        "command": shlex.quote(query),
        "fault": None,
        "answer": None,
        "facets": (),
        "may_be_named": any(one.name in _NAMED for one in pieces_of(query)),
    }
    try:
        values |= _results(context, visitor, query, view)
    except QuerySyntaxError as error:
        values["fault"] = fault_of(error, query)
    return context.page("review.html", values, visitor=visitor)


def _results(
    context: PageContext, visitor: Visitor, query: str, view: ReviewView
) -> dict[str, Any]:
    beside: dict[str, Any] = {}

    def patients_beside(answer: Answer) -> list[str]:
        """What stands beside the answer, noted; whom it names there."""
        beside.update(beside_results(context, visitor.principal, query, view, answer))
        return [
            value for one in beside["facets"] if one.name == "patient" for value, _ in one.values
        ]

    answer = context.search.page(
        visitor.principal,
        ByAllNames(query) if view.names else query,
        PageAsked(view.rows, view.after or None, view.repeats, view.oldest),
        patients_beside,
    )
    used = answer.identities
    return beside | {
        "answer": answer,
        "rows": rows_of(answer.records),
        "used": used,
        "inferred": {one.id: used.inferred(one) for one in answer.records} if used else {},
    }
