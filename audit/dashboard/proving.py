"""Proving who one is: over an identity provider, and again before exports and reveals."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from audit.dashboard.context import PageContext, address_of, see_other
from audit.dashboard.display import NS_PER_S
from audit.dashboard.forms import Form
from audit.dashboard.sign_in import LONGEST_REASON, RecordSignIn, SignIn
from audit.dashboard.visitors import Visitor, check_own_form, own_path
from audit.errors import ConnectionFailed, Denied, NotFound
from audit.query.access import ProofNeeded, ReasonNeeded
from audit.query.admission import scopes_granted
from audit.state.secrets import digest_of
from audit.state.sessions import Guest
from audit.state.sign_ins import PendingSignIn
from audit.state.throttle import TryLater
from audit.web.errors import Unauthenticated
from audit.web.oidc.code_flow import Attempt, CodeFlow

_NOT_VOUCHED = "The identity provider did not vouch for you. Sign in again."
_NO_ANSWER = "The identity provider does not answer. Try again later, or break the glass."
_NOTHING_GRANTED = "Your account at the identity provider has no role here."
_SOMEBODY_ELSE = "You proved to be somebody else than whose session this is."
_WRONG = "The password is wrong."

Refused = Callable[[Request, str, str, int], Response]
"""Shows the sign-in form with a fault: request, path, fault, status."""


class ProvingPages:
    """The pages on which people prove who they are, besides the form of local accounts."""

    def __init__(self, context: PageContext, record: RecordSignIn, refused: Refused) -> None:
        self._context = context
        self._record = record
        self._refused = refused

    # over the identity provider

    def leave(self, request: Request) -> Response:
        """Lead the browser to the identity provider."""
        path = own_path(request.query_params.get("next", "/"))
        return self._away(request, PendingSignIn(state="", nonce="", verifier="", path=path))

    def come_back(self, request: Request) -> Response:
        """Take what the browser brings back, once; every end is journaled."""
        cookies = self._context.cookies
        secret = request.cookies.get(cookies.away, "")
        pending = self._context.state.sign_ins.take(secret) if secret else None
        if pending is None:
            answer = self._failed(request, "/", _NOT_VOUCHED)
        else:
            try:
                answer = self._vouched(request, pending)
            except Unauthenticated:
                answer = self._failed(request, pending.path, _NOT_VOUCHED)
            except ConnectionFailed:
                answer = self._failed(request, pending.path, _NO_ANSWER, 503)
        cookies.remove(answer, cookies.away)
        return answer

    def _vouched(self, request: Request, pending: PendingSignIn) -> Response:
        attempt = Attempt(pending.state, pending.nonce, pending.verifier)
        since_s = pending.begun_at / NS_PER_S if pending.confirms else None
        guest = self._flow().vouched(attempt, dict(request.query_params), since_s=since_s)
        if pending.confirms:
            return self._confirmed_by(request, guest, pending)
        if not scopes_granted(guest.grants):
            return self._failed(request, pending.path, _NOTHING_GRANTED, 403, guest)
        address = address_of(request)
        self._record(SignIn("login", guest.name, guest.display_name, address))
        answer = see_other(pending.path)
        cookies = self._context.cookies
        secret = self._context.state.sessions.begin(guest, address, reason=pending.reason)
        cookies.put(answer, cookies.session, secret)
        return answer

    def _confirmed_by(self, request: Request, guest: Guest, pending: PendingSignIn) -> Response:
        visitor = self._context.visitor(request)
        session = visitor.session
        is_same = digest_of(visitor.session_token).hex() == pending.confirms
        if not is_same or (session.name, session.issuer) != (guest.name, guest.issuer):
            self._note(visitor, _SOMEBODY_ELSE)
            raise Denied(_SOMEBODY_ELSE)
        self._note(visitor, None)
        self._context.state.sessions.confirm(visitor.session_token, pending.reason)
        return see_other(pending.path)

    def _away(
        self, request: Request, pending: PendingSignIn, visitor: Visitor | None = None
    ) -> Response:
        """To the provider by a redirect, or by a link where a form may lead nowhere else."""
        attempt = Attempt.begin()
        try:
            address = self._flow().address(attempt, again=bool(pending.confirms))
        except ConnectionFailed:
            return self._failed(request, pending.path, _NO_ANSWER, 503)
        kept = replace(
            pending, state=attempt.state, nonce=attempt.nonce, verifier=attempt.verifier
        )
        if visitor is None:
            answer: Response = RedirectResponse(address, status_code=303)
        else:
            answer = self._context.page("confirm_away.html", {"address": address}, visitor=visitor)
        cookies = self._context.cookies
        cookies.put(answer, cookies.away, self._context.state.sign_ins.begin(kept))
        return answer

    def _failed(
        self,
        request: Request,
        path: str,
        fault: str,
        status: int = 401,
        guest: Guest | None = None,
    ) -> Response:
        name, display_name = (guest.name, guest.display_name) if guest else ("", "")
        self._record(SignIn("login", name, display_name, address_of(request), fault))
        return self._refused(request, path, fault, status)

    def _flow(self) -> CodeFlow:
        flow = self._context.options.access.flow
        if flow is None:
            raise NotFound("no identity provider is set up here")
        return flow

    # again

    def form(self, request: Request, fault: str = "", status: int = 200) -> Response:
        """Ask whoever is signed in to show again that it is them, and why where that is wanted."""
        visitor = self._context.visitor(request)
        path = own_path(request.query_params.get("next", "/"))
        return self._form(visitor, path, fault, status)

    def _form(self, visitor: Visitor, path: str, fault: str = "", status: int = 200) -> Response:
        values = {
            "fault": fault,
            "next": path,
            "reason_wanted": bool(self._context.options.access.reason_for),
            "issuer": visitor.session.issuer,
            "longest_reason": LONGEST_REASON,
        }
        return self._context.page("confirm.html", values, visitor=visitor, status=status)

    def confirm(self, request: Request, form: Form) -> Response:
        """Take the password, or lead to the identity provider; every attempt is journaled."""
        visitor = self._context.visitor(request)
        check_own_form(request, form, visitor.session_token)
        path = own_path(form.get("next", "/"))
        reason = form.get("reason", "").strip()[:LONGEST_REASON]
        if self._context.options.access.reason_for and not reason:
            return self._form(visitor, path, "Say why.", 422)
        if visitor.session.issuer:
            confirms = digest_of(visitor.session_token).hex()
            pending = PendingSignIn(
                state="", nonce="", verifier="", path=path, confirms=confirms, reason=reason
            )
            return self._away(request, pending, visitor)
        try:
            self._check(visitor, form.get("password", ""), address_of(request))
        except TryLater as error:
            fault = f"Too many wrong attempts. Try again in {ceil(error.retry_after_s)} seconds."
            return self._form(visitor, path, fault, 429)
        except Denied:
            self._note(visitor, _WRONG)
            return self._form(visitor, path, _WRONG, 401)
        self._note(visitor, None)
        self._context.state.sessions.confirm(visitor.session_token, reason)
        return see_other(path)

    def _check(self, visitor: Visitor, password: str, address: str) -> None:
        self._context.state.accounts.check(visitor.session.name, password, address)

    def _note(self, visitor: Visitor, failure: str | None) -> None:
        principal = visitor.principal
        self._record(
            SignIn("login", principal.name, principal.display_name, principal.address, failure)
        )


def page_to_prove(request: Request, error: Exception) -> Response | None:
    """Where to lead somebody who lacks but a fresh proof or a reason; None for any other lack.

    A form that was posted is sent again by the person, from ``request.state.back``.
    """
    if not isinstance(error, ProofNeeded | ReasonNeeded):
        return None
    path = request.url.path if request.method == "GET" else getattr(request.state, "back", "/")
    return see_other(f"/confirm?{urlencode({'next': path})}")
