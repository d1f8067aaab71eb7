"""create_page_routes: the pages as one router, and the page that shows errors."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.access_log import access_log, posted_log
from audit.dashboard.context import PageContext, see_other
from audit.dashboard.event import download, one_event
from audit.dashboard.exporting import posted_export
from audit.dashboard.forms import Form, read_form
from audit.dashboard.home import home_page
from audit.dashboard.names import PIVOT_KINDS
from audit.dashboard.near import neighbours_page
from audit.dashboard.options import PageOptions
from audit.dashboard.pivot import pivot_page, posted_pivot
from audit.dashboard.proving import ProvingPages, page_to_prove
from audit.dashboard.reports import add_report_pages
from audit.dashboard.review import open_review, posted_search, saved_review
from audit.dashboard.searches import drop_search, keep_search, searches_page
from audit.dashboard.sign_in import RecordSignIn, SignInPages
from audit.dashboard.static_files import static_files
from audit.dashboard.visitors import SignInNeeded
from audit.query.access import Scope
from audit.query.search import SearchService
from audit.state.store import StateStore
from audit.web.declared import Leaves, open_to_all, scoped
from audit.web.problems import Problem

EventId = Annotated[str, Path(pattern=r"^([a-z0-9]{4,16}-)?[0-9]{1,19}$", max_length=40)]
SearchId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{16,64}$")]

_HEADINGS = {
    400: "This request can't be understood",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This address does not take that",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "No answer for now",
}
_NO_PAGE = "No page has this address; perhaps a part of it is missing."
"""Instead of what programs are told about a part of an address."""
_ADVICE = {
    403: "Ask whoever runs this repository if you need it.",
    503: "Every look at the audit trail is recorded before anything is shown. "
    "Try again in a moment; if it lasts, tell whoever runs this repository.",
}


class Pages:
    """The router of the pages, and what renders their errors.

    Attributes:
        router: for ``audit.web.application.create_app``.
    """

    def __init__(
        self,
        search: SearchService,
        state: StateStore,
        record_sign_in: RecordSignIn,
        options: PageOptions,
    ) -> None:
        self._context = PageContext(search, state, options)
        self._sign_in = SignInPages(self._context, record_sign_in)
        self._proving = ProvingPages(self._context, record_sign_in, self._sign_in.form)
        self.router = APIRouter(include_in_schema=False)
        self._add_session_routes()
        self._add_proving_routes()
        self._add_posted_routes()
        self._add_event_routes()
        self._add_review_routes()
        add_report_pages(self.router, self._context)

    def error(self, request: Request, error: Exception, problem: Problem) -> Response:
        """What a browser is answered instead of a problem document."""
        if isinstance(error, SignInNeeded):
            path = f"?{urlencode({'next': error.path})}" if error.path != "/" else ""
            return see_other(f"/sign-in{path}")
        if (answer := page_to_prove(request, error)) is not None:
            return answer
        if isinstance(error, RequestValidationError):  # of an address: forms are read by us
            problem = replace(problem, status=404, detail=_NO_PAGE)
        values = {
            "problem": problem,
            "detail": problem.detail,
            "heading": _HEADINGS.get(problem.status, problem.title),
            "advice": _ADVICE.get(problem.status, ""),
            "request_id": request.state.request_id,
        }
        page = self._context.page("error.html", values, visitor=None, status=problem.status)
        page.headers.update(problem.headers)
        return page

    def _add_session_routes(self) -> None:
        routes, context, pages = self.router, self._context, self._sign_in

        async def form_of(request: Request) -> Form:
            return await read_form(request, context.options)

        posted = Annotated[Form, Depends(form_of)]

        @routes.get("/sign-in", openapi_extra=open_to_all())
        def sign_in_form(request: Request) -> Response:
            return pages.form(request, request.query_params.get("next", "/"))

        @routes.post("/sign-in", openapi_extra=open_to_all(Leaves.SIGN_IN))
        def sign_in(request: Request, form: posted) -> Response:
            return pages.sign_in(request, form)

        @routes.post("/sign-out", openapi_extra=scoped(leaves=Leaves.SIGN_IN))
        def sign_out(request: Request, form: posted) -> Response:
            return pages.sign_out(request, form)

    def _add_proving_routes(self) -> None:
        routes, context, proving = self.router, self._context, self._proving

        async def form_of(request: Request) -> Form:
            return await read_form(request, context.options)

        posted = Annotated[Form, Depends(form_of)]

        @routes.get("/sign-in/oidc", openapi_extra=open_to_all())
        def leave(request: Request) -> Response:
            return proving.leave(request)

        @routes.get("/sign-in/oidc/done", openapi_extra=open_to_all(Leaves.SIGN_IN))
        def come_back(request: Request) -> Response:
            return proving.come_back(request)

        @routes.get("/confirm", openapi_extra=scoped(leaves=Leaves.NOTHING))
        def confirm_form(request: Request) -> Response:
            return proving.form(request)

        @routes.post("/confirm", openapi_extra=scoped(leaves=Leaves.SIGN_IN))
        def confirm(request: Request, form: posted) -> Response:
            return proving.confirm(request, form)

    def _add_posted_routes(self) -> None:
        routes, context = self.router, self._context

        async def form_of(request: Request) -> Form:
            return await read_form(request, context.options)

        posted = Annotated[Form, Depends(form_of)]

        @routes.post("/search", openapi_extra=scoped(Scope.EVENTS_READ, leaves=Leaves.NOTHING))
        def search(request: Request, form: posted) -> Response:
            return posted_search(context, request, form)

        @routes.post("/pivot", openapi_extra=scoped(Scope.EVENTS_READ, leaves=Leaves.NOTHING))
        def pivot(request: Request, form: posted) -> Response:
            return posted_pivot(context, request, form)

        @routes.post(
            "/access-log",
            openapi_extra=scoped(Scope.EVENTS_READ, Scope.AUDIT_READ, leaves=Leaves.NOTHING),
        )
        def log(request: Request, form: posted) -> Response:
            return posted_log(context, request, form)

        @routes.post("/searches", openapi_extra=scoped(Scope.EVENTS_READ))
        def keep(request: Request, form: posted) -> Response:
            return keep_search(context, request, form)

        @routes.post("/searches/delete", openapi_extra=scoped(Scope.EVENTS_READ))
        def drop(request: Request, form: posted) -> Response:
            return drop_search(context, request, form)

        @routes.post("/export", openapi_extra=scoped(Scope.EVENTS_EXPORT, leaves=Leaves.EXPORT))
        def export(request: Request, form: posted) -> Response:
            return posted_export(context, request, form)

    def _add_event_routes(self) -> None:
        routes, context = self.router, self._context

        @routes.get("/", openapi_extra=scoped(Scope.EVENTS_READ))
        def home(request: Request) -> Response:
            return home_page(context, request)

        @routes.get("/search", openapi_extra=scoped(Scope.EVENTS_READ))
        def review(request: Request) -> Response:
            return open_review(context, request)

        @routes.get("/s/{search_id}", openapi_extra=scoped(Scope.EVENTS_READ))
        def saved(request: Request, search_id: SearchId) -> Response:
            return saved_review(context, request, search_id)

        @routes.get("/e/{event_id}", openapi_extra=scoped(Scope.EVENTS_READ))
        def event(request: Request, event_id: EventId) -> Response:
            return one_event(context, request, event_id)

        @routes.get("/e/{event_id}/message", openapi_extra=scoped(Scope.EVENTS_RAW))
        def message(request: Request, event_id: EventId) -> Response:
            return download(context, request, event_id)

        @routes.get("/e/{event_id}/neighbours", openapi_extra=scoped(Scope.EVENTS_READ))
        def near(request: Request, event_id: EventId) -> Response:
            return neighbours_page(context, request, event_id)

        @routes.get("/static/{name}", openapi_extra=open_to_all())
        def static(name: str) -> Response:
            return static_files().answer(name)

    def _add_review_routes(self) -> None:
        routes, context = self.router, self._context

        @routes.get("/searches", openapi_extra=scoped(Scope.EVENTS_READ))
        def searches(request: Request) -> Response:
            return searches_page(context, request)

        @routes.get("/access-log", openapi_extra=scoped(Scope.EVENTS_READ, Scope.AUDIT_READ))
        def log(request: Request) -> Response:
            return access_log(context, request)

        @routes.get(
            "/access-log/{search_id}", openapi_extra=scoped(Scope.EVENTS_READ, Scope.AUDIT_READ)
        )
        def filtered_log(request: Request, search_id: SearchId) -> Response:
            return access_log(context, request, search_id)

        for kind in PIVOT_KINDS:
            self._add_pivot_route(kind)

    def _add_pivot_route(self, kind: str) -> None:
        context = self._context

        @self.router.get(f"/{kind}/{{search_id}}", openapi_extra=scoped(Scope.EVENTS_READ))
        def about(request: Request, search_id: SearchId) -> Response:
            return pivot_page(context, request, kind, search_id)


def create_page_routes(
    search: SearchService,
    state: StateStore,
    record_sign_in: RecordSignIn,
    options: PageOptions,
) -> Pages:
    """The pages, for ``audit.web.application.create_app``: its router and its error page.

    Args:
        search: answers questions and journals that they were asked.
        state: knows accounts, sessions and saved searches.
        record_sign_in: journals that somebody signed in or out, or tried to; a session whose
            beginning can't be journaled doesn't begin.
        options: presentation.
    """
    return Pages(search, state, record_sign_in, options)
