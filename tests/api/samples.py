"""Requests that an operation takes, made from what the OpenAPI document says of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.web.declared import RECORD, SCOPES, Leaves

MORE: dict[str, dict[str, Any]] = {
    "reports_sign_off": {
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-02-01T00:00:00Z",
        "record": "{review}",
    },
    "tokens_create": {"scopes": ["admin"]},
    "pivots_search": {"value": "jdoe"},
}
"""What a request needs besides what its schema asks for."""

CHOSEN = {
    ("reports_make", "kind"): "activity",
    ("pivots_search", "kind"): "user",
    ("syslog_search", "date"): "ge2026-01-01",
}
"""Of parameters, what the scopes declared for all values suffice for."""


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        path: with ``{names}`` for what it is about.
        parameters: of the query; a value may be a name in braces, too.
        json: the body as JSON, None for none; values may be names in braces.
        form: the body as a form.
        octets: the body as it is.
    """

    path: str
    parameters: dict[str, str] = field(default_factory=dict)
    json: Any = None
    form: dict[str, str] | None = None
    octets: bytes | None = None
    media_type: str = ""


@dataclass(frozen=True)
class Operation:
    """One operation of the document, with a request that fits its schema.

    Attributes:
        name: operationId.
        method: of HTTP.
        path: as the document has it.
        scopes: what it says it needs; none for any valid token.
        leaves: what it says its answer leaves on record.
        asked: the request.
    """

    name: str
    method: str
    path: str
    scopes: frozenset[str]
    leaves: Leaves
    asked: Asked


def operations_of(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of the document."""
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield Operation(
                name=told["operationId"],
                method=method.upper(),
                path=path,
                scopes=frozenset(told[SCOPES].split()),
                leaves=Leaves(told[RECORD]),
                asked=_asked(path, told, document),
            )


def _asked(path: str, told: Mapping[str, Any], document: dict[str, Any]) -> Asked:
    name, filled, wanted = told["operationId"], path, {}
    for one in told.get("parameters", ()):
        value = CHOSEN.get((name, one["name"])) or _of(one, document)
        if one["in"] == "path":
            filled = filled.replace("{" + one["name"] + "}", value)
        elif one["in"] == "query" and one.get("required"):
            wanted[one["name"]] = value
    content = told.get("requestBody", {}).get("content", {})
    shape = content.get("application/json", {}).get("schema")
    body = None if shape is None else sample(shape, document) | MORE.get(name, {})
    return Asked(filled, wanted, body)


def _of(parameter: dict[str, Any], document: dict[str, Any]) -> str:
    """A value; the name in braces where it has to name something that there is."""
    name = str(parameter["name"])
    if name == "filter" or name.endswith("_id"):
        return "{" + name + "}"
    told = {key: parameter[key] for key in ("examples", "example") if key in parameter}
    return str(sample(parameter["schema"] | told, document))


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
