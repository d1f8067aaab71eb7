"""Signing in and out: one form, equal answers to every wrong guess, a new session each time."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext, address_of, see_other
from audit.dashboard.forms import Form
from audit.dashboard.visitors import (
    SignInNeeded,
    check_own_form,
    form_token_of,
    new_visit,
    own_path,
)
from audit.errors import Denied
from audit.state.throttle import TryLater

_WRONG = "User name or password is wrong."
_SAY_WHY = "This account is for emergencies: say why you need it."
LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody signed in or out, or tried to.

    Attributes:
        activity: which of the two.
        name: the name given, which need not be anybody's.
        display_name: a person's name, when known.
        address: from where.
        failure: why it failed, in words; None when it succeeded.
        emergency: the glass was broken.
        reason: why it was.
    """

    activity: Literal["login", "logout"]
    name: str
    display_name: str
    address: str
    failure: str | None = None
    emergency: bool = False
    reason: str = ""


RecordSignIn = Callable[[SignIn], None]
"""Journals it; raises JournalUnavailable when it can't."""


class SignInPages:
    """The pages around a session's beginning and end."""

    def __init__(self, context: PageContext, record: RecordSignIn) -> None:
        self._context = context
        self._record = record

    def form(
        self, request: Request, path: str = "/", fault: str = "", status: int = 200
    ) -> Response:
        """The empty form; it leads on to ``path``."""
        cookies = self._context.cookies
        visit = request.cookies.get(cookies.visit) or new_visit()
        over_provider = self._context.options.access.flow is not None
        values = {
            "fault": fault,
            "next": own_path(path),
            "form_token": form_token_of(visit),
            "over_provider": over_provider,
            "reason_wanted": over_provider or fault == _SAY_WHY,
            "longest_reason": LONGEST_REASON,
        }
        page = self._context.page("sign_in.html", values, visitor=None, status=status)
        cookies.put(page, cookies.visit, visit)
        return page

    def sign_in(self, request: Request, form: Form) -> Response:
        """Begin a session, or show the form again; every attempt is journaled."""
        cookies = self._context.cookies
        check_own_form(request, form, request.cookies.get(cookies.visit, ""))
        name, path = form.get("name", ""), own_path(form.get("next", "/"))
        address = address_of(request)
        try:
            account = self._context.state.accounts.check(name, form.get("password", ""), address)
        except Denied:
            self._record(SignIn("login", name, "", address, _WRONG))
            return self.form(request, path, _WRONG, 401)
        except TryLater as error:
            return self._too_often(request, path, ceil(error.retry_after_s))
        emergency = account.emergency or self._context.options.access.flow is not None
        reason = form.get("reason", "").strip()[:LONGEST_REASON]
        known = account.name, account.display_name, address
        if emergency and not reason:
            self._record(SignIn("login", *known, _SAY_WHY, emergency))
            return self.form(request, path, _SAY_WHY, 422)
        self._record(SignIn("login", *known, emergency=emergency, reason=reason))
        answer = see_other(path)
        secret = self._context.state.sessions.begin(
            account, address, emergency=emergency, reason=reason
        )
        cookies.put(answer, cookies.session, secret)
        cookies.remove(answer, cookies.visit)
        return answer

    def _too_often(self, request: Request, path: str, wait_s: int) -> Response:
        unit = "second" if wait_s == 1 else "seconds"
        fault = f"Too many wrong attempts. Try again in {wait_s} {unit}."
        page = self.form(request, path, fault, 429)
        page.headers["Retry-After"] = str(wait_s)
        return page

    def sign_out(self, request: Request, form: Form) -> Response:
        """End the session here and now, and make the browser forget what it saw."""
        cookies = self._context.cookies
        try:
            visitor = self._context.visitor(request)
        except SignInNeeded:
            return see_other("/sign-in")
        check_own_form(request, form, visitor.session_token)
        principal = visitor.principal
        self._context.state.sessions.end(visitor.session_token)
        known = principal.name, principal.display_name, address_of(request)
        self._record(SignIn("logout", *known, emergency=principal.emergency))
        answer = see_other("/sign-in")
        cookies.remove(answer, cookies.session)
        answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return answer
