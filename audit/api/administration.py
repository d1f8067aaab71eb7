"""Accounts, API tokens and sessions, for those who look after them. No record is shown here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Security
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.api.events import json_answer
from audit.api.schemas import Strict
from audit.errors import Denied, RequestError
from audit.query.access import Principal, Scope
from audit.query.admission import check_grants, scopes_granted
from audit.query.self_audit import SelfAudit
from audit.record.times import format_ns
from audit.state.grants import Grants
from audit.state.sessions import Session
from audit.state.store import StateStore
from audit.state.tokens import ApiToken
from audit.web.declared import Leaves, scoped
from audit.web.openapi import problem_answers

PREFIX = "/api/v1"
DAY_S = 86_400.0
LONGEST_DAYS = 366
MOST_NAMES = 100
LONGEST_NAME = 256
_NS_FREE = "RFC 3339 UTC."
_ANSWERS = (401, 403, 429, 500, 503)

RecordChange = Callable[[Principal, str], None]
"""Journals that the principal is about to change something; raises JournalUnavailable."""

ThingId = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{32}$",
        description="Names it; opens nothing.",
        examples=["0123456789abcdef0123456789abcdef"],
    ),
]
Names = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]],
    Field(max_length=MOST_NAMES),
]


class GrantsShown(Strict):
    """What somebody may do, and of which records."""

    roles: list[str]
    scopes: list[str] = Field(description="Granted one by one, beside those of the roles.")
    sites: list[str] = Field(description="AuditEnterpriseSiteIDs; none is every one.")
    sources: list[str] = Field(description="AuditSourceIDs; none is every one.")


class AccountShown(GrantsShown):
    """A local account."""

    name: str
    display_name: str
    enabled: bool
    emergency: bool = Field(description="For breaking the glass.")
    created: str = Field(description=_NS_FREE)


class AccountsAnswer(Strict):
    """Every local account, by name."""

    items: list[AccountShown]


class TokenShown(GrantsShown):
    """An API token, without its secret."""

    id: str
    name: str
    owner: str
    created: str = Field(description=_NS_FREE)
    expires: str = Field(description=_NS_FREE)
    revoked: str | None = Field(description=_NS_FREE)


class TokensAnswer(Strict):
    """Every API token still on record, newest first."""

    items: list[TokenShown]


class NewTokenShown(TokenShown):
    """A new API token."""

    token: str = Field(description="Its secret, shown this once.")


class TokenRequest(Strict):
    """An API token to be made."""

    name: str = Field(min_length=1, max_length=128, description="What it is for.", examples=["x"])
    days: int = Field(default=90, ge=1, le=LONGEST_DAYS, description="How long it lives.")
    roles: Names = Field(default=[], description="Named sets of scopes.", examples=[["siem"]])
    scopes: Names = Field(default=[], description="Single permissions.")
    sites: Names = Field(default=[], description="AuditEnterpriseSiteIDs; none is every one.")
    sources: Names = Field(default=[], description="AuditSourceIDs; none is every one.")


class SessionShown(Strict):
    """Somebody signed in."""

    id: str
    name: str
    display_name: str
    issuer: str = Field(description="Identity provider; empty for a local account.")
    roles: list[str]
    emergency: bool = Field(description="The glass was broken.")
    reason: str = Field(description="Why, as last given.")
    address: str
    created: str = Field(description=_NS_FREE)
    used: str = Field(description=_NS_FREE)
    ends: str = Field(description=_NS_FREE)


class SessionsAnswer(Strict):
    """Everybody signed in, newest first."""

    items: list[SessionShown]


class Ended(Strict):
    """What was ended."""

    id: str


@dataclass(frozen=True, slots=True)
class Office:
    """What the routes of administration share."""

    state: StateStore
    record_change: RecordChange
    audit: SelfAudit

    def look(self, principal: Principal, what: str) -> None:
        """Let an administrator look, and journal it.

        Raises:
            Denied: it isn't one; the attempt is journaled.
            JournalUnavailable: it can't be journaled; nothing may be shown.
        """
        self.require(principal, what)
        self.audit.used(principal, (("view", what),))

    def require(self, principal: Principal, what: str) -> None:
        """Let an administrator pass.

        Raises:
            Denied: it isn't one; the attempt is journaled.
        """
        if not principal.may(Scope.ADMIN):
            self.refuse(principal, what, f"it needs the scope {Scope.ADMIN}")

    def end_of(self, request: Request, principal: Principal) -> int | None:
        """When the token ends by which was asked, UTC nanoseconds; None for whoever has none."""
        if principal.kind != "token":
            return None
        return self.state.tokens.get(request.state.token_id).expires_at

    def refuse(self, principal: Principal, what: str, why: str) -> None:
        """Journal the refusal; raises Denied."""
        told = f"{principal.name} may not do this: {why}"
        self.audit.denied(principal, (("view", what),), told)
        raise Denied(told)


def create_administration_routes(
    state: StateStore,
    doorkeeper: Doorkeeper,
    record_change: RecordChange,
    audit: SelfAudit,
) -> APIRouter:
    """The routes of administration below ``/api/v1``.

    Args:
        state: accounts, tokens and sessions.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        record_change: journals each change before it is made.
        audit: journals each look, and each attempt that was refused.
    """
    office = Office(state, record_change, audit)
    routes = APIRouter(prefix=PREFIX, tags=["administration"])

    _add_accounts(routes, office, doorkeeper.admitted)
    _add_tokens(routes, office, doorkeeper.admitted)
    _add_sessions(routes, office, doorkeeper.admitted)
    return routes


def _add_accounts(routes: APIRouter, office: Office, admitted: Callable[..., Principal]) -> None:
    caller = Annotated[Principal, Security(admitted)]

    @routes.get(
        "/accounts",
        operation_id="accounts_list",
        summary="Local accounts",
        response_model=AccountsAnswer,
        responses=problem_answers(*_ANSWERS),
        openapi_extra=scoped(Scope.ADMIN),
    )
    def accounts_list(principal: caller) -> Response:
        """Every local account and what it may do."""
        office.look(principal, "accounts")
        items = [
            {
                "name": one.name,
                "display_name": one.display_name,
                "enabled": one.enabled,
                "emergency": one.emergency,
                "created": format_ns(one.created_at),
                **one.grants.as_dict(),
            }
            for one in office.state.accounts.all()
        ]
        return json_answer({"items": items})


def _add_tokens(routes: APIRouter, office: Office, admitted: Callable[..., Principal]) -> None:
    caller = Annotated[Principal, Security(admitted)]

    @routes.get(
        "/tokens",
        operation_id="tokens_list",
        summary="API tokens",
        response_model=TokensAnswer,
        responses=problem_answers(*_ANSWERS),
        openapi_extra=scoped(Scope.ADMIN),
    )
    def tokens_list(principal: caller) -> Response:
        """Every API token still on record, without its secret."""
        office.look(principal, "API tokens")
        return json_answer({"items": list(map(_token, office.state.tokens.all()))})

    @routes.post(
        "/tokens",
        operation_id="tokens_create",
        summary="Make an API token",
        response_model=NewTokenShown,
        responses=problem_answers(400, *_ANSWERS, 413, 422),
        openapi_extra=scoped(Scope.ADMIN, leaves=Leaves.CHANGE),
    )
    def tokens_create(request: Request, principal: caller, asked: TokenRequest) -> Response:
        """A new token, whose secret is shown this once; it may do no more than you may.

        One that is made by a token ends with it at the latest.
        """
        office.require(principal, "make a token")
        grants = _granted(asked)
        beyond = scopes_granted(grants) - principal.scopes
        if beyond or principal.rows is not None:
            office.refuse(
                principal,
                "make a token",
                "a token may do no more than its maker: " + " ".join(sorted(beyond)),
            )
        wanted = (asked.name, principal.name, grants, asked.days * DAY_S)
        office.state.tokens.check(*wanted)
        office.record_change(principal, f"Token {asked.name} is made with {grants.as_dict()}")
        made = office.state.tokens.create(*wanted, office.end_of(request, principal))
        return json_answer(_token(made.token) | {"token": made.secret})

    @routes.delete(
        "/tokens/{token_id}",
        operation_id="tokens_revoke",
        summary="Revoke an API token",
        response_model=Ended,
        responses=problem_answers(*_ANSWERS, 404, 422),
        openapi_extra=scoped(Scope.ADMIN, leaves=Leaves.CHANGE),
    )
    def tokens_revoke(principal: caller, token_id: ThingId) -> Response:
        """Ends it at once, open tails and feeds included."""
        office.require(principal, "revoke a token")
        token = office.state.tokens.get(token_id)
        office.record_change(principal, f"Token {token.name} ({token_id}) is revoked")
        office.state.tokens.revoke(token_id)
        return json_answer({"id": token_id})


def _add_sessions(routes: APIRouter, office: Office, admitted: Callable[..., Principal]) -> None:
    caller = Annotated[Principal, Security(admitted)]

    @routes.get(
        "/sessions",
        operation_id="sessions_list",
        summary="Who is signed in",
        response_model=SessionsAnswer,
        responses=problem_answers(*_ANSWERS),
        openapi_extra=scoped(Scope.ADMIN),
    )
    def sessions_list(principal: caller) -> Response:
        """Every session that is alive."""
        office.look(principal, "sessions")
        return json_answer({"items": list(map(_session, office.state.sessions.all()))})

    @routes.delete(
        "/sessions/{session_id}",
        operation_id="sessions_end",
        summary="Sign somebody out",
        response_model=Ended,
        responses=problem_answers(*_ANSWERS, 404, 422),
        openapi_extra=scoped(Scope.ADMIN, leaves=Leaves.CHANGE),
    )
    def sessions_end(principal: caller, session_id: ThingId) -> Response:
        """Ends the session at once."""
        office.require(principal, "end a session")
        session = office.state.sessions.get(session_id)
        office.record_change(principal, f"Session {session_id} of {session.name} is ended")
        office.state.sessions.revoke(session_id)
        return json_answer({"id": session_id})


def _granted(asked: TokenRequest) -> Grants:
    try:
        return check_grants(
            Grants(
                scopes=frozenset(asked.scopes),
                roles=frozenset(asked.roles),
                sites=frozenset(asked.sites),
                sources=frozenset(asked.sources),
            )
        )
    except ValueError as error:
        raise RequestError(str(error)) from error


def _token(token: ApiToken) -> dict[str, Any]:
    revoked = token.revoked_at
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner,
        "created": format_ns(token.created_at),
        "expires": format_ns(token.expires_at),
        "revoked": None if revoked is None else format_ns(revoked),
        **token.grants.as_dict(),
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "name": session.name,
        "display_name": session.display_name,
        "issuer": session.issuer,
        "roles": sorted(session.grants.roles),
        "emergency": session.emergency,
        "reason": session.reason,
        "address": session.address,
        "created": format_ns(session.created_at),
        "used": format_ns(session.used_at),
        "ends": format_ns(session.ends_at),
    }
