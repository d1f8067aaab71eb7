"""Problem documents (RFC 9457) → audit.errors: a caller sees the same errors near and far."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx2

from audit.errors import (
    AuditError,
    ConnectionFailed,
    Denied,
    IndexUnavailable,
    JournalUnavailable,
    NotFound,
    QuerySyntaxError,
    RequestError,
    StorageError,
)

_PROBLEM = "application/problem+json"
_BY_SLUG: Mapping[str, type[AuditError]] = {
    "journal-unavailable": JournalUnavailable,
    "index-unavailable": IndexUnavailable,
}
_BY_STATUS: Mapping[int, type[AuditError]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    429: ConnectionFailed,
    500: ConnectionFailed,
    503: StorageError,
}


def fault_of(response: httpx2.Response) -> AuditError:
    """The error that an answer tells of; its body must have been read."""
    problem = _problem(response)
    where = response.url.copy_with(query=None)
    if problem is None:
        return ConnectionFailed(
            f"{where} answered {response.status_code}, not as an Audit Record Repository does"
        )
    errors = problem.get("errors") or [{}]
    detail = str(problem.get("detail") or problem.get("title") or response.reason_phrase)
    slug = str(problem.get("type", "")).rpartition(":")[2]
    if slug == "query-syntax":
        pointer = str(errors[0].get("pointer") or "")
        column = int(errors[0].get("column") or 0)
        return QuerySyntaxError(detail, column, "" if pointer == "#/query" else pointer)
    if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        detail = f"{detail} ({problem.get('instance', '')})"
    if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and errors[0]:
        detail = "; ".join(f"{one['pointer']}: {one['detail']}" for one in errors)
    return (_BY_SLUG.get(slug) or _BY_STATUS.get(response.status_code, RequestError))(detail)


def _problem(response: httpx2.Response) -> Mapping[str, Any] | None:
    if not response.headers.get("content-type", "").startswith(_PROBLEM):
        return None
    try:
        problem = response.json()
    except ValueError:
        return None
    return problem if isinstance(problem, dict) else None


def unreachable(url: str, error: Exception) -> ConnectionFailed:
    """The error of a repository that can't be reached, or that went away."""
    why = str(error) or type(error).__name__
    hint = "; name the CA's certificate with --ca" if "CERTIFICATE_VERIFY" in why else ""
    return ConnectionFailed(f"{url} can't be reached: {why}{hint}")
