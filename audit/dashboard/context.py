"""PageContext: what every page needs, and how a page becomes an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from audit.dashboard import display
from audit.dashboard.options import PageOptions
from audit.dashboard.static_files import StaticFiles
from audit.dashboard.visitors import TOKEN_FIELD, Cookies, SignInNeeded, Visitor
from audit.query.admission import principal_of
from audit.query.search import SearchService
from audit.standards.fields import all_fields
from audit.state.store import StateStore

CATEGORY_NAMES = {
    "query": "Query",
    "access": "Access",
    "export": "Export",
    "import": "Import",
    "transfer": "Transfer",
    "deletion": "Deletion",
    "authentication": "Authentication",
    "security": "Security",
    "application": "Application",
    "record": "Record",
    "audit-log-used": "Audit log used",
    "other": "Other",
}
"""Every category in the order charts stack it and lists show it."""

OUTCOME_NAMES = {
    "success": "Success",
    "minor-failure": "Minor failure",
    "serious-failure": "Serious failure",
    "major-failure": "Major failure",
}


PIVOT_KINDS = ("patient", "user", "study", "node", "address")
"""Fields of which a value has a page of its own."""


@dataclass(frozen=True)
class PageContext:
    """Services, options and templates of the pages."""

    search: SearchService
    state: StateStore
    options: PageOptions

    @cached_property
    def cookies(self) -> Cookies:
        """Names and attributes of the cookies."""
        return Cookies(self.options)

    @cached_property
    def static(self) -> StaticFiles:
        """The files that pages refer to."""
        return StaticFiles()

    @cached_property
    def environment(self) -> Environment:
        """The templates; every value is escaped, an unknown name is an error."""
        environment = Environment(
            loader=PackageLoader("audit.dashboard"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        zone = self.options.zone
        environment.filters.update(
            shown=display.shown,
            begun=display.begun,
            visible=display.visible,
            number=display.number,
            octets=display.octets,
            machine_time=display.machine_time,
            zoned=lambda ns: display.zoned(ns, zone),
        )
        environment.globals.update(
            static=self.static.address,
            options=self.options,
            token_field=TOKEN_FIELD,
            category_names=CATEGORY_NAMES,
            outcome_names=OUTCOME_NAMES,
            pivot_kinds=PIVOT_KINDS,
            query_fields=all_fields(),
            zone_name=str(zone),
        )
        return environment

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
        html = self.environment.get_template(template).render(
            {"visitor": visitor, "form_token": visitor.form_token if visitor else "", **values}
        )
        return HTMLResponse(html, status_code=status)


def address_of(request: Request) -> str:
    """The peer's address."""
    return request.client.host if request.client else ""


def see_other(path: str) -> Response:
    """Lead the browser on with GET; the path is ours, so no host is named."""
    return RedirectResponse(path, status_code=303)
