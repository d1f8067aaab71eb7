"""Searches that somebody keeps under a name, and those asked lately."""

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext, see_other
from audit.dashboard.forms import Form
from audit.dashboard.review_view import ReviewView
from audit.dashboard.visitors import Visitor, check_own_form
from audit.query.access import Scope

RECENT = 50


def searches_page(context: PageContext, request: Request) -> Response:
    """What the visitor keeps and asked lately; nobody else's."""
    visitor = context.visitor(request)
    _record(context, visitor, ("view", "own searches"))
    name = visitor.owner
    kept = context.state.named_searches.of(name)
    recent = context.state.saved_searches.recent(name, RECENT)
    return context.page("searches.html", {"kept": kept, "recent": recent}, visitor=visitor)


def keep_search(context: PageContext, request: Request, form: Form) -> Response:
    """Keep a search under a name; one of the same name is replaced."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    title, query = form.get("title", "").strip(), form.get("query", "")
    context.state.named_searches.check(title, query)
    _record(context, visitor, ("view", "search kept under a name"), ("query", query))
    exact = not ReviewView.of(form, context.options.rows).names
    context.state.named_searches.keep(visitor.owner, title, query, exact_names=exact)
    return see_other("/searches")


def drop_search(context: PageContext, request: Request, form: Form) -> Response:
    """Forget a search that was kept."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    _record(context, visitor, ("view", "kept search forgotten"))
    context.state.named_searches.drop(visitor.owner, form.get("id", ""))
    return see_other("/searches")


def _record(context: PageContext, visitor: Visitor, *told: tuple[str, str]) -> None:
    """Journal the look or change of somebody who may search; raises Denied for others."""
    trail = context.search.trail
    trail.require(visitor.principal, Scope.EVENTS_READ, told)
    trail.audit.used(visitor.principal, told)
