"""``/syslogsearch``: Retrieve Syslog Event [ITI-82].

Like the FHIR searches an exception to the rule that no address names anybody; paging links are
opaque. Source: IHE ITI TF-2 3.82.
"""

from typing import Annotated

from fastapi import APIRouter, Security
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.api.events import COMMON
from audit.api.fhir_http import pairs_of
from audit.fhir.options import FhirOptions
from audit.fhir.question import Pairs
from audit.fhir.syslog_fields import syslog_parameters
from audit.fhir.syslog_messages import as_json, as_xml
from audit.fhir.syslog_trail import SyslogTrail
from audit.fhir.values import Json
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail
from audit.web.declared import scoped
from audit.web.openapi import problem_answers

PATH = "/syslogsearch"
_JSON, _XML = "application/json", "application/xml"
_FORMATS = {
    "json": _JSON,
    _JSON: _JSON,
    "*/*": _JSON,
    "application/*": _JSON,
    "": _JSON,
    "xml": _XML,
    _XML: _XML,
    "text/xml": _XML,
}


def create_syslog_search_routes(
    trail: AuditedTrail, doorkeeper: Doorkeeper, options: FhirOptions
) -> APIRouter:
    """The route of ITI-82, for ``audit.web.application.create_app``.

    Args:
        trail: index, journal and the record of every look.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        options: those of FHIR searches, which hold here too.
    """
    messages = SyslogTrail(trail, options)

    routes = APIRouter()

    @routes.get(
        PATH,
        tags=["events"],
        operation_id="syslog_search",
        summary="Syslog messages as received (ITI-82)",
        response_class=Response,
        responses=problem_answers(*COMMON, 406) | _answers(),
        openapi_extra=scoped(Scope.EVENTS_READ, Scope.EVENTS_RAW) | {"parameters": _parameters()},
    )
    async def syslog_search(
        request: Request, principal: Annotated[Principal, Security(doorkeeper.admitted)]
    ) -> Response:
        """Messages that match, the newest first, as JSON or XML; Link leads to the next page."""
        asked = pairs_of(request.url.query)
        media_type = _wanted(request, asked)
        pages = [value for name, value in asked if name == "_page"]
        if pages:
            found = await run_in_threadpool(messages.page, principal, pages[0])
        else:
            found = await run_in_threadpool(messages.search, principal, asked)
        write = as_xml if media_type == _XML else as_json
        headers = {}
        if found.next_page is not None:
            is_xml = "&_format=xml" if media_type == _XML else ""
            headers["Link"] = f'<{PATH}?_page={found.next_page}{is_xml}>; rel="next"'
        return Response(write(found.messages), media_type=media_type, headers=headers)

    return routes


def _wanted(request: Request, asked: Pairs) -> str:
    """The media type asked for; raises HTTPException 406 for any other."""
    formats = [value for name, value in asked if name == "_format"]
    wanted = formats[:1] or request.headers.get("accept", "").split(",")
    for one in wanted:
        found = _FORMATS.get(one.partition(";")[0].strip().lower())
        if found is not None:
            return found
    raise HTTPException(406)


def _parameters() -> list[Json]:
    told = {"date": "Time of the event, such as ge2026-05-01; at least one bound is demanded"}
    told |= {name: one.meaning for name, one in syslog_parameters().items()}
    told["recorded"] = "Time of the event, further bounds"
    told["_count"] = "Messages on a page"
    told["_format"] = "json or xml; wins over the header Accept"
    return [
        {
            "name": name,
            "in": "query",
            "required": name == "date",
            "description": meaning,
            "schema": {"type": "string"},
        }
        for name, meaning in told.items()
    ]


def _answers() -> dict[int | str, Json]:
    item = {"type": "object", "additionalProperties": {"type": "string"}}
    shape = {"type": "array", "items": item}
    content = {_JSON: {"schema": shape}, _XML: {"schema": {"type": "string"}}}
    return {200: {"description": "The messages as received, by part.", "content": content}}
