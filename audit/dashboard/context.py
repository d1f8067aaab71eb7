"""PageContext: what every page needs, and how a page becomes an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from audit.dashboard.options import PageOptions
from audit.dashboard.templating import templates_in
from audit.dashboard.visitors import Cookies, SignInNeeded, Visitor
from audit.query.admission import principal_of
from audit.query.search import SearchService
from audit.state.store import StateStore


@dataclass(frozen=True)
class PageContext:
    """Services and options of the pages."""

    search: SearchService
    state: StateStore
    options: PageOptions

    @cached_property
    def cookies(self) -> Cookies:
        """Names and attributes of the cookies."""
        return Cookies(self.options)

    def visitor(self, request: Request) -> Visitor:
        """Whoever is signed in; without the scopes for which they must first prove it again.

        Raises:
            SignInNeeded: nobody is.
        """
        token = request.cookies.get(self.cookies.session, "")
        session = self.state.sessions.find(token) if token else None
        if session is None:
            raise SignInNeeded(request.url.path if request.method == "GET" else "/")
        principal = principal_of(session, kind="account", address=address_of(request))
        now, step_up = self.state.clock(), self.options.access.step_up
        held = step_up.held(principal, session.confirmed_at, now)
        if held is not principal and not session.emergency:
            held = replace(held, reason="")
        return Visitor(held, token, session)

    def page(
        self,
        template: str,
        values: Mapping[str, Any],
        *,
        visitor: Visitor | None,
        status: int = 200,
    ) -> Response:
        """A page; ``visitor`` None leaves out everything of a session."""
        always = {
            "options": self.options,
            "visitor": visitor,
            "form_token": visitor.form_token if visitor else "",
        }
        html = templates_in(self.options.zone).get_template(template).render(always | dict(values))
        return HTMLResponse(html, status_code=status)


def address_of(request: Request) -> str:
    """The peer's address."""
    return request.client.host if request.client else ""


def see_other(path: str) -> Response:
    """Lead the browser on with GET; the path is ours, so no host is named."""
    return RedirectResponse(path, status_code=303)
