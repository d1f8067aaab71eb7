"""Signing in and out: one form, equal answers to every wrong guess, a new session each time."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import BoundedSemaphore
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
from audit.web.options import WebOptions
from audit.web.rate_limit import TokenBuckets

_WRONG = "User name or password is wrong."
_WIDER = 5
"""How many times more guesses an account or an address has than the two together."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody signed in or out, or tried to.

    Attributes:
        activity: which of the two.
        name: the name given, which need not be anybody's.
        display_name: a person's name, when known.
        address: from where.
        failure: why it failed, in words; None when it succeeded.
    """

    activity: Literal["login", "logout"]
    name: str
    display_name: str
    address: str
    failure: str | None = None


RecordSignIn = Callable[[SignIn], None]
"""Journals it; raises JournalUnavailable when it can't."""


class GuessLimit:
    """Slows guessing by account and address together, and by each of them alone."""

    def __init__(self, options: WebOptions) -> None:
        keys = options.max_rate_keys
        per_s, burst = options.attempts_per_s, options.attempt_burst
        self._pairs = TokenBuckets(per_s, burst, max_keys=keys)
        self._singles = TokenBuckets(per_s * _WIDER, burst * _WIDER, max_keys=keys)

    def wait_s(self, name: str, address: str) -> int:
        """Seconds until the next guess is heard; 0 when it is heard now."""
        folded = name.casefold()
        looks = (
            self._pairs.look(f"{folded}\n{address}"),
            self._singles.look(f"account {folded}"),
            self._singles.look(f"address {address}"),
        )
        return max(look.retry_after_s for look in looks)

    def failed(self, name: str, address: str) -> None:
        """Count a wrong guess."""
        folded = name.casefold()
        self._pairs.spend(f"{folded}\n{address}")
        self._singles.spend(f"account {folded}")
        self._singles.spend(f"address {address}")


class SignInPages:
    """The pages around a session's beginning and end."""

    def __init__(self, context: PageContext, web: WebOptions, record: RecordSignIn) -> None:
        self._context = context
        self._record = record
        self._guesses = GuessLimit(web)
        self._checks = BoundedSemaphore(context.options.max_sign_in_checks)

    def form(
        self, request: Request, path: str = "/", fault: str = "", status: int = 200
    ) -> Response:
        """The empty form; it leads on to ``path``."""
        cookies = self._context.cookies
        visit = request.cookies.get(cookies.visit) or new_visit()
        values = {"fault": fault, "next": own_path(path), "form_token": form_token_of(visit)}
        page = self._context.page("sign_in.html", values, visitor=None, status=status)
        cookies.put(page, cookies.visit, visit)
        return page

    def sign_in(self, request: Request, form: Form) -> Response:
        """Begin a session, or show the form again; every attempt is journaled."""
        cookies = self._context.cookies
        check_own_form(request, form, request.cookies.get(cookies.visit, ""))
        name, path = form.get("name", ""), own_path(form.get("next", "/"))
        address = address_of(request)
        wait_s = self._guesses.wait_s(name, address)
        if wait_s:
            fault = f"Too many wrong attempts. Try again in {wait_s} seconds."
            page = self.form(request, path, fault, 429)
            page.headers["Retry-After"] = str(wait_s)
            return page
        with self._checks:
            token = self._context.state.sign_in(name, form.get("password", ""), address)
        if token is None:
            self._guesses.failed(name, address)
            self._record(SignIn("login", name, "", address, _WRONG))
            return self.form(request, path, _WRONG, 401)
        self._record_login(name, token, address)
        answer = see_other(path)
        cookies.put(answer, cookies.session, token)
        cookies.remove(answer, cookies.visit)
        return answer

    def _record_login(self, name: str, token: str, address: str) -> None:
        state = self._context.state
        principal = state.principal_of_session(token, address)
        display_name = principal.display_name if principal else ""
        try:
            self._record(SignIn("login", name, display_name, address))
        except BaseException:
            state.sign_out(token, address)
            raise

    def sign_out(self, request: Request, form: Form) -> Response:
        """End the session here and now, and make the browser forget what it saw."""
        cookies = self._context.cookies
        try:
            visitor = self._context.visitor(request)
        except SignInNeeded:
            return see_other("/sign-in")
        check_own_form(request, form, visitor.session_token)
        principal = visitor.principal
        self._context.state.sign_out(visitor.session_token, address_of(request))
        self._record(SignIn("logout", principal.name, principal.display_name, address_of(request)))
        answer = see_other("/sign-in")
        cookies.remove(answer, cookies.session)
        answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return answer
