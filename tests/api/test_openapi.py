"""The OpenAPI document: strict, the same as the committed one, and true of real answers."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from tests.web.stack import Stack, application

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
UPDATE = "ARR_UPDATE_OPENAPI=1 python -m pytest tests/api/test_openapi.py"


@pytest.fixture(scope="module")
def document(shared: Stack) -> dict[str, Any]:
    app: FastAPI = application(shared)
    return app.openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_committed_document_is_current(document: dict[str, Any]) -> None:
    made = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    if os.environ.get("ARR_UPDATE_OPENAPI"):
        COMMITTED.write_bytes(made)
    assert COMMITTED.read_bytes() == made, f"docs/openapi.json is old; renew it: {UPDATE}"


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        assert operation["security"] == [{"token": []}], name
        assert "x-required-scope" in operation, name


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status != "200":
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
        assert {"401", "429", "500"} <= set(operation["responses"]), name


def test_no_reference_dangles_and_inputs_are_closed(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = orjson.dumps(document).decode()
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.split('"')[0] in schemas
    assert "HTTPValidationError" not in schemas
    assert schemas["SearchRequest"]["additionalProperties"] is False
    assert all("title" in schema and "description" in schema for schema in schemas.values())


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


def test_real_answers_keep_to_the_document(client: TestClient, document: dict[str, Any]) -> None:
    answer = client.post("/api/v1/events/search", json={"limit": 200}).json()
    validator(document, "SearchAnswer").validate(answer)
    for item in answer["items"][:20]:
        event = client.get(f"/api/v1/events/{item['id']}").json()
        validator(document, "EventDetail").validate(event)
    validator(document, "Me").validate(client.get("/api/v1/me").json())
    for path in ("/api/v1/events/999999", "/api/v1/nothing"):
        validator(document, "ProblemDocument").validate(client.get(path).json())
    syntax = client.post("/api/v1/events/search", json={"query": "x:"}).json()
    validator(document, "ProblemDocument").validate(syntax)


def test_reference_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/api/v1/docs", headers={"Authorization": ""})
    assert page.status_code == 200
    assert "//" not in page.text
    for name in ("/api/v1/events/search", "SearchAnswer", "events:raw", "ProblemDocument"):
        assert name in page.text
    style = client.get("/api/v1/docs/style.css")
    assert style.headers["content-type"].startswith("text/css")
