"""Requests that an operation takes, made from what the OpenAPI document says of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from starlette.testclient import TestClient

MORE: dict[str, dict[str, Any]] = {
    "/api/v1/reports/{kind}": {"patients": [{"identifier": "P48003"}]},
    "/api/v1/reports/activity/sign-offs": {
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-02-01T00:00:00Z",
        "record": "0",
    },
    "/api/v1/tokens": {"scopes": ["admin"]},
}
"""What a request needs besides what its schema asks for."""


PARAMETERS = {"/syslogsearch": {"date": "ge2026-01-01"}}
"""What an address needs besides what is required of every one."""


@dataclass(frozen=True)
class Operation:
    """One operation of the document, with a request that fits its schema.

    Attributes:
        name: operationId.
        scopes: what it says it needs; none for any valid token.
        names_object: it is about one thing that there need not be.
    """

    name: str
    method: str
    path: str
    scopes: frozenset[str]
    parameters: dict[str, str]
    body: Any
    names_object: bool

    def ask(self, client: TestClient, token: str | None) -> httpx2.Response:
        """Send the request with this bearer token, or with none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return client.request(
            self.method, self.path, params=self.parameters, json=self.body, headers=headers
        )


def operations_of(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of the document."""
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            given = told.get("parameters", ())
            filled, wanted = path, {}
            for one in given:
                value = str(sample(one["schema"] | _examples(one), document))
                if one["in"] == "path":
                    filled = filled.replace("{" + one["name"] + "}", value)
                elif one["in"] == "query" and one.get("required"):
                    wanted[one["name"]] = value
            content = told.get("requestBody", {}).get("content", {})
            shape = content.get("application/json", {}).get("schema")
            yield Operation(
                name=told["operationId"],
                method=method.upper(),
                path=filled,
                scopes=frozenset(told["x-required-scope"].split()),
                parameters=wanted | PARAMETERS.get(path, {}),
                body=None if shape is None else sample(shape, document) | MORE.get(path, {}),
                names_object="_id}" in path or bool(wanted),
            )


def _examples(parameter: dict[str, Any]) -> dict[str, Any]:
    return {key: parameter[key] for key in ("examples", "example") if key in parameter}


def sample(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """A value that fits the schema: as told by example, else the least that will do."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return sample(document["components"]["schemas"][name], document)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return sample(schema[key][0], document)
    return _least(schema, document)


def _least(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            members = schema.get("properties", {})
            return {name: sample(members[name], document) for name in schema.get("required", ())}
        case "array":
            return [sample(schema["items"], document)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case _:
            return "x" * max(1, schema.get("minLength", 1))
