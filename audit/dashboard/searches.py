"""Searches that somebody keeps under a name, and those asked lately."""

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext, see_other
from audit.dashboard.forms import Form
from audit.dashboard.visitors import check_own_form

RECENT = 50


def searches_page(context: PageContext, request: Request) -> Response:
    """What the visitor keeps and asked lately; nobody else's."""
    visitor = context.visitor(request)
    name = visitor.principal.name
    kept = context.state.named_searches.of(name)
    recent = context.state.saved_searches.recent(name, RECENT)
    return context.page("searches.html", {"kept": kept, "recent": recent}, visitor=visitor)


def keep_search(context: PageContext, request: Request, form: Form) -> Response:
    """Keep a search under a name; one of the same name is replaced."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    title = form.get("title", "").strip()
    context.state.named_searches.keep(visitor.principal.name, title, form.get("query", ""))
    return see_other("/searches")


def drop_search(context: PageContext, request: Request, form: Form) -> Response:
    """Forget a search that was kept."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    context.state.named_searches.drop(visitor.principal.name, form.get("id", ""))
    return see_other("/searches")
