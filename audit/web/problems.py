"""AuditError → RFC 9457 problem: one shape for every error an HTTP caller sees.

``type`` is ``urn:arr:problem:`` and the error's class name in kebab-case, so that a program can
tell errors apart without reading English. Nothing of the request's content is echoed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil, floor
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from audit.errors import (
    AuditError,
    ConnectionFailed,
    Denied,
    NotFound,
    QuerySyntaxError,
    RequestError,
    StorageError,
)
from audit.query.access import ProofNeeded
from audit.state.throttle import TryLater
from audit.web import outcomes
from audit.web.errors import TooManyRequests, Unauthenticated

MEDIA_TYPE = "application/problem+json"
_CHALLENGE = 'Bearer realm="audit record repository"'
RETRY_AFTER_S = 5
"""What a caller is told to wait when a store can't answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error as an HTTP caller sees it.

    Attributes:
        status: HTTP status.
        slug: last part of the type URN.
        detail: one sentence a person understands; never content of the request.
        errors: faults of single members, each with a JSON pointer and a detail.
        headers: extra response headers.
    """

    status: int
    slug: str
    detail: str
    errors: tuple[dict[str, Any], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The status phrase."""
        return HTTPStatus(self.status).phrase

    def as_dict(self, request_id: str) -> dict[str, Any]:
        """The members of RFC 9457 3.1; ``instance`` is the request id."""
        members: dict[str, Any] = {
            "type": f"urn:arr:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:arr:request:{request_id}",
        }
        if self.errors:
            members["errors"] = list(self.errors)
        return members

    def response(self, request_id: str, path: str = "") -> Response:
        """The problem as an HTTP answer; below ``/fhir`` as an OperationOutcome."""
        if outcomes.is_fhir(path):
            content = outcomes.operation_outcome(self.status, self.detail, request_id, self.errors)
            media_type = outcomes.MEDIA_TYPE
        else:
            content, media_type = self.as_dict(request_id), MEDIA_TYPE
        return Response(
            orjson.dumps(content),
            status_code=self.status,
            headers=dict(self.headers),
            media_type=media_type,
        )


INTERNAL = Problem(
    status=500,
    slug="internal-error",
    detail="Something went wrong here. The operator finds it in the log by the request id.",
)

_STATUS: tuple[tuple[type[AuditError], int], ...] = (
    (Unauthenticated, 401),
    (ProofNeeded, 401),
    (TooManyRequests, 429),
    (TryLater, 429),
    (NotFound, 404),
    (Denied, 403),
    (RequestError, 400),
    (StorageError, 503),
    (ConnectionFailed, 503),
)


def slug_of(error: Exception) -> str:
    """The class name in kebab-case, ``QuerySyntaxError`` → ``query-syntax``."""
    name = type(error).__name__.removesuffix("Error") or "audit"
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def problem_of(error: Exception) -> Problem:
    """The problem that tells a caller about the error; unknown ones become a bare 500."""
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return _of_audit_error(error, status)
    return INTERNAL


def _of_audit_error(error: AuditError, status: int) -> Problem:
    headers: dict[str, str] = {}
    errors: tuple[dict[str, Any], ...] = ()
    if isinstance(error, QuerySyntaxError):
        errors = (_of_query(error),)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = _CHALLENGE
    if isinstance(error, ProofNeeded):
        headers["WWW-Authenticate"] = _challenge_to_prove(error)
    if isinstance(error, TooManyRequests | TryLater):
        headers["Retry-After"] = str(ceil(error.retry_after_s))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return Problem(
        status=status, slug=slug_of(error), detail=str(error), errors=errors, headers=headers
    )


def _challenge_to_prove(error: ProofNeeded) -> str:
    """What tells a client to have its person sign in anew (RFC 9470 3)."""
    return (
        f'{_CHALLENGE}, error="insufficient_user_authentication", '
        'error_description="a more recent authentication is needed", '
        f'max_age="{floor(error.within_s)}"'
    )


def _of_query(error: QuerySyntaxError) -> dict[str, Any]:
    if error.pointer:
        return {"pointer": error.pointer, "detail": str(error)}
    return {"pointer": "#/query", "detail": str(error), "column": error.column}


def _of_http(error: HTTPException) -> Problem:
    phrase = HTTPStatus(error.status_code).phrase
    slug = re.sub(r"[^a-z0-9]+", "-", phrase.lower()).strip("-")
    return Problem(
        status=error.status_code,
        slug=slug,
        detail=_DETAILS.get(error.status_code, phrase + "."),
        headers=dict(error.headers or {}),
    )


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address doesn't take that method; the Allow header lists those it takes.",
    406: "This server answers in JSON here: Accept: application/fhir+json or application/json.",
    413: "The request body is larger than this server takes.",
    415: "This server doesn't read that media type here; JSON is application/fhir+json, and the "
    "parameters of a search are application/x-www-form-urlencoded.",
}


def _of_validation(error: RequestValidationError) -> Problem:
    errors = tuple(
        {"pointer": _pointer(fault["loc"], error.body), "detail": str(fault["msg"])}
        for fault in error.errors()
    )
    return Problem(
        status=422,
        slug="validation",
        detail="The request doesn't fit its schema; see errors.",
        errors=errors,
    )


def _pointer(location: tuple[int | str, ...], body: object) -> str:
    """A JSON pointer as a URI fragment for the body, else ``/path/name`` and the like."""
    head, *steps = location
    if head == "body":
        steps = _members(steps, body)
    rest = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
    return f"#{rest}" if head == "body" else f"/{head}{rest}"


def _members(steps: list[int | str], body: object) -> list[int | str]:
    """The steps without the tags of tagged unions, which are values of members, not members."""
    kept: list[int | str] = []
    inside = body
    for step in steps:
        if isinstance(inside, dict):
            if step not in inside and step in inside.values():
                continue
            inside = inside.get(step)
        elif isinstance(inside, list) and isinstance(step, int) and step < len(inside):
            inside = inside[step]
        kept.append(step)
    return kept
