"""What FHIR asks of HTTP: media types, preferences, addresses."""

from urllib.parse import parse_qsl

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from audit.errors import RequestError
from audit.fhir.capability import JSON
from audit.fhir.question import Pairs
from audit.fhir.values import Json

PREFIX = "/fhir"
MEDIA_TYPE = f"{JSON}; charset=utf-8"

_JSON_TYPES = frozenset({JSON, "application/json", "text/json", "json"})
_ANY_TYPES = frozenset({"*/*", "application/*", "text/*", ""})
_FORM = "application/x-www-form-urlencoded"
_MOST_PARAMETERS = 200


def _bare(media_type: str) -> str:
    """Without parameters; a plus in an address may have become a space."""
    return media_type.partition(";")[0].strip().lower().replace(" ", "+")


def demand_json(request: Request, asked: Pairs = ()) -> None:
    """Raises HTTPException 406 when the client takes no JSON.

    ``_format`` wins over the header (FHIR R4 3.1.0.1.11).
    """
    formats = [value for name, value in asked if name == "_format"]
    wanted = formats[:1] or request.headers.get("accept", "").split(",")
    if not any(_bare(one) in _JSON_TYPES | _ANY_TYPES for one in wanted):
        raise HTTPException(406)


def pairs_of(text: str) -> Pairs:
    """Names and values of a query or form.

    Raises:
        RequestError: it can't be read, or there are too many.
    """
    try:
        return tuple(
            parse_qsl(
                text,
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_PARAMETERS,
            )
        )
    except ValueError as error:
        raise RequestError("the parameters can't be read") from error


async def form_of(request: Request) -> Pairs:
    """The parameters in the body; raises HTTPException 415 for any other body."""
    body = await request.body()
    if not body:
        return ()
    if _bare(request.headers.get("content-type", "")) != _FORM:
        raise HTTPException(415)
    try:
        return pairs_of(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RequestError("the parameters can't be read") from error


async def json_body(request: Request) -> bytes:
    """The octets of a JSON body; raises HTTPException 415 when it is said to be something else."""
    if _bare(request.headers.get("content-type", "")) not in _JSON_TYPES:
        raise HTTPException(415)
    return await request.body()


def preference(request: Request, name: str) -> str:
    """The value of a preference such as ``handling`` (RFC 7240); empty without one."""
    for one in ",".join(request.headers.getlist("prefer")).replace(";", ",").split(","):
        key, _, value = one.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"').lower()
    return ""


def base_of(request: Request, base_url: str) -> str:
    """The address of the FHIR interface as this client knows it."""
    return base_url.rstrip("/") or f"{request.url.scheme}://{request.headers['host']}{PREFIX}"


def fhir_answer(
    resource: Json, asked: Pairs = (), *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A resource as an answer; ``_pretty=true`` makes it readable."""
    is_pretty = ("_pretty", "true") in asked
    content = orjson.dumps(resource, option=orjson.OPT_INDENT_2 if is_pretty else None)
    return Response(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)
