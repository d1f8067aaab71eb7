"""One error shape: every kind of error → status, type, and nothing of the request."""

import orjson
import pytest
from starlette.exceptions import HTTPException

from audit import errors
from audit.query.cursor import InvalidCursor
from audit.state.throttle import TryLater
from audit.web.errors import ForgedRequest, TooManyRequests, Unauthenticated
from audit.web.problems import problem_of, slug_of


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (errors.QuerySyntaxError("no field", 7), 400, "query-syntax"),
        (errors.NotFound("no record"), 404, "not-found"),
        (errors.Denied("no scope"), 403, "denied"),
        (errors.RequestError("limit"), 400, "request"),
        (errors.JournalUnavailable("down"), 503, "journal-unavailable"),
        (errors.JournalBusy("full"), 503, "journal-busy"),
        (errors.IndexUnavailable("down"), 503, "index-unavailable"),
        (errors.ConnectionFailed("down"), 503, "connection-failed"),
        (errors.IntegrityViolation("altered"), 500, "internal-error"),
        (errors.ConfigurationError("bad"), 500, "internal-error"),
        (InvalidCursor("forged"), 400, "invalid-cursor"),
        (Unauthenticated("who"), 401, "unauthenticated"),
        (ForgedRequest("forged"), 403, "forged-request"),
        (TooManyRequests("slow down", 3), 429, "too-many-requests"),
        (TryLater("slow down", 2.2), 429, "try-later"),
        (HTTPException(404), 404, "not-found"),
        (HTTPException(405, headers={"Allow": "GET"}), 405, "method-not-allowed"),
        (HTTPException(418), 418, "i-m-a-teapot"),
        (ValueError("secret"), 500, "internal-error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_error_becomes_problem(error: Exception, status: int, slug: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.slug) == (status, slug)


def test_internal_faults_tell_nothing() -> None:
    assert "secret" not in problem_of(ValueError("secret")).detail


def test_document_has_the_members_of_rfc_9457() -> None:
    answer = problem_of(errors.QuerySyntaxError("there is no field x", 4)).response("abc")
    assert answer.media_type == "application/problem+json"
    assert orjson.loads(answer.body) == {
        "type": "urn:arr:problem:query-syntax",
        "title": "Bad Request",
        "status": 400,
        "detail": "there is no field x",
        "instance": "urn:arr:request:abc",
        "errors": [{"pointer": "#/query", "detail": "there is no field x", "column": 4}],
    }


def test_headers_say_what_to_do_next() -> None:
    assert problem_of(Unauthenticated("who")).headers["WWW-Authenticate"].startswith("Bearer")
    assert problem_of(TryLater("wait", 2.2)).headers["Retry-After"] == "3"
    assert "Retry-After" in problem_of(errors.JournalUnavailable("down")).headers
    assert problem_of(HTTPException(405, headers={"Allow": "GET"})).headers["Allow"] == "GET"


def test_base_error_has_a_name_too() -> None:
    assert slug_of(errors.AuditError("x")) == "audit"
