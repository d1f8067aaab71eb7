"""The OpenAPI document of this API, and a page that shows it without anyone else's files."""

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from audit.web.declared import open_to_all

_JSON = "application/json"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("audit.api"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> bytes:
    return files("audit.api").joinpath("templates/reference.css").read_bytes()


def add_reference_routes(routes: APIRouter, prefix: str) -> None:
    """Add ``/docs``: the API in one page, made from the document at ``/openapi.json``."""

    @routes.get("/docs", include_in_schema=False, openapi_extra=open_to_all())
    def reference(request: Request) -> Response:
        document = request.app.openapi()
        page = _environment().get_template("reference.html")
        return HTMLResponse(
            page.render(
                info=document["info"],
                operations=operations_of(document),
                schemas=document["components"]["schemas"],
                style=f"{prefix}/docs/style.css",
                type_of=type_of,
            )
        )

    @routes.get("/docs/style.css", include_in_schema=False, openapi_extra=open_to_all())
    def style() -> Response:
        return Response(_style(), media_type="text/css")


def operations_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every operation with its method, path and the names of its shapes, in order of the paths."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "asked": _shape(operation.get("requestBody")),
            "answered": _shape(operation["responses"]["200"]),
            **operation,
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _shape(holder: dict[str, Any] | None) -> str:
    schema = (holder or {}).get("content", {}).get(_JSON, {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


def type_of(schema: dict[str, Any]) -> str:
    """A schema's type in words: ``string``, ``list of EventItem``, ``integer or null``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    return str(schema.get("type", "any"))
