"""What every answer of a composed application carries, and what its log never says."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from audit.errors import JournalUnavailable, NotFound
from audit.web.application import create_app
from audit.web.middleware import CONTENT_SECURITY_POLICY, RequestFacts
from audit.web.options import WebOptions
from audit.web.problems import Problem

SECRET = "P48003 Voss"


class Body(BaseModel):
    number: int


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/api/v1/fine/{name}")
    def fine(name: str) -> Response:
        return PlainTextResponse(name, headers={"Cache-Control": "max-age=1"})

    @routes.post("/api/v1/number")
    def number(body: Body) -> Response:
        return PlainTextResponse(str(body.number))

    @routes.get("/api/v1/broken")
    def broken() -> Response:
        raise ValueError(SECRET)

    @routes.get("/api/v1/missing")
    def missing() -> Response:
        raise NotFound("there is no such record")

    @routes.get("/page")
    def page() -> Response:
        raise JournalUnavailable("the journal is down")

    @routes.get("/broken-page")
    def broken_page() -> Response:
        raise ValueError(SECRET)

    return routes


def page_error(_request: Request, error: Exception, problem: Problem) -> Response:
    return Response(f"{type(error).__name__} {problem.status}", problem.status)


@pytest.fixture
def facts() -> list[RequestFacts]:
    return []


@pytest.fixture
def client(facts: list[RequestFacts]) -> Iterator[TestClient]:
    options = WebOptions(allowed_hosts=("testserver", "[::1]"), max_body_octets=200)
    app = create_app(options, [router()], page_error=page_error, observe=facts.append)
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("path", ["fine/x", "broken", "missing", "nothing", "number"])
def test_every_answer_has_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(f"/api/v1/{path}").headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "require-trusted-types-for 'script'" in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["cache-control"] == ("max-age=1" if path == "fine/x" else "no-store")
    assert len(headers["x-request-id"]) == 16


def test_plain_http_promises_no_tls() -> None:
    app = create_app(WebOptions(https=False, allowed_hosts=("testserver",)), [router()])
    with TestClient(app) as client:
        assert "strict-transport-security" not in client.get("/api/v1/fine/x").headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/number", 405),
        ("GET", "/api/v1/missing", 404),
        ("GET", "/api/v1/broken", 500),
        ("POST", "/api/v1/number", 422),
        ("GET", "/api/v1/fine/x/", 404),
    ],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["instance"].endswith(answer.headers["x-request-id"])
    assert "location" not in answer.headers


def test_validation_points_at_the_member_and_echoes_nothing(client: TestClient) -> None:
    answer = client.post("/api/v1/number", json={"number": SECRET})
    assert answer.json()["errors"][0]["pointer"] == "#/number"
    assert SECRET not in answer.text


def test_browser_gets_a_page_where_pages_are(client: TestClient) -> None:
    answer = client.get("/page", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.text) == (503, "JournalUnavailable 503")
    machine = client.get("/page", headers={"Accept": "application/json"})
    assert machine.json()["type"] == "urn:arr:problem:journal-unavailable"


def test_browser_gets_a_page_for_what_nobody_expected(client: TestClient) -> None:
    answer = client.get("/broken-page", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.text) == (500, "ValueError 500")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    machine = client.get("/broken-page", headers={"Accept": "application/json"})
    assert machine.json()["type"] == "urn:arr:problem:internal-error"


def test_a_page_of_errors_that_fails_too_is_a_problem() -> None:
    def failing(*_given: object) -> Response:
        raise LookupError(SECRET)

    options = WebOptions(allowed_hosts=("testserver",))
    app = create_app(options, [router()], page_error=failing)
    with TestClient(app) as client, capture_logs() as lines:
        answer = client.get("/broken-page", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:arr:problem:internal-error"
    assert SECRET not in answer.text
    failed = [line["error"] for line in lines if line["event"] == "request failed"]
    assert failed == ["ValueError", "LookupError"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("testserver", 200),
        ("TESTSERVER:8443", 200),
        ("[::1]:8443", 200),
        ("[::1]", 200),
        ("evil.example", 400),
        ("testserver.evil.example", 400),
        ("testserver@evil.example", 400),
        ("[::2]", 400),
        ("", 400),
    ],
)
def test_only_our_names_are_answered(client: TestClient, host: str, status: int) -> None:
    assert client.get("/api/v1/fine/x", headers={"Host": host}).status_code == status


def test_declared_and_streamed_bodies_are_bounded(client: TestClient) -> None:
    large = b'{"number": 1' + b" " * 300 + b"}"
    headers = {"Content-Type": "application/json"}
    assert client.post("/api/v1/number", content=large, headers=headers).status_code == 413
    pieces = (large[i : i + 50] for i in range(0, len(large), 50))
    streamed = client.post("/api/v1/number", content=pieces, headers=headers)
    assert streamed.status_code == 413
    assert streamed.headers["content-type"] == "application/problem+json"


def test_log_and_facts_name_nobody(client: TestClient, facts: list[RequestFacts]) -> None:
    with capture_logs() as lines:
        client.get(f"/api/v1/fine/{SECRET}?patient={SECRET}&{SECRET}=1&a%0Ab=2")
        client.get("/api/v1/broken")
        client.request("PROPFIND", f"/{SECRET}")
    assert "P48003" not in repr((lines, facts))
    assert [fact.route for fact in facts] == [
        "/api/v1/fine/{name}",
        "/api/v1/broken",
        "unmatched",
    ]
    assert facts[0].parameters == ("patient",)
    assert [fact.status for fact in facts] == [200, 500, 404]
    assert facts[2].method == "OTHER"
    assert {line["event"] for line in lines} == {"request", "request failed"}
    failed = next(line for line in lines if line["event"] == "request failed")
    assert failed["error"] == "ValueError"
    assert "test_application.py" in failed["where"]
