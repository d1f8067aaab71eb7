"""The OpenAPI document: what the routes say of themselves, and the one shape of every error."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

from audit.web.problems import MEDIA_TYPE

_DESCRIPTIONS = {
    400: "The request can't be understood; errors says where.",
    401: "No valid token.",
    403: "The caller lacks a scope.",
    404: "There is nothing under that name.",
    406: "None of the media types asked for can be had.",
    413: "The body is too large.",
    422: "The request doesn't fit its schema.",
    429: "Too many requests; Retry-After says when to come back.",
    500: "A fault of this server; instance names the request.",
    503: "The index can't answer, or the look can't be journaled: no answer.",
}
_REFERENCE = "#/components/schemas/{model}"


class ProblemError(BaseModel):
    """One fault of one member of the request."""

    pointer: str = Field(description="JSON pointer to the member.")
    detail: str
    column: int | None = Field(default=None, description="Zero-based column in a query's text.")


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(
        description="urn:arr:problem: and the kind.", examples=["urn:arr:problem:not-found"]
    )
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What is wrong and what to do, for people.")
    instance: str = Field(description="urn:arr:request: and the request id.")
    errors: list[ProblemError] | None = None


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer, for its ``responses``."""
    shape = {"$ref": _REFERENCE.format(model="ProblemDocument")}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: {"schema": shape}}}
        for status in statuses
    }


def document_of(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """A replacement for ``app.openapi`` that knows the shape of errors; made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app)
        return app.openapi_schema

    return openapi


def _made(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        tags=app.openapi_tags,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    schema = ProblemDocument.model_json_schema(ref_template=_REFERENCE)
    known = document.setdefault("components", {}).setdefault("schemas", {})
    known |= schema.pop("$defs")
    known["ProblemDocument"] = schema
    return document
