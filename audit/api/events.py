"""Search, one event, and the exact octets of its message."""

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Security
from starlette.responses import Response

from audit.api import schemas
from audit.api.questions import by_names, text_of
from audit.query.access import Principal, Scope
from audit.query.search import SearchService
from audit.web.declared import scoped
from audit.web.openapi import problem_answers

EventId = Annotated[
    str,
    Path(
        pattern=r"^([a-z0-9]{4,16}-)?[0-9]{1,19}$",
        max_length=40,
        description="Id of a record, or its bare sequence.",
        examples=["k3f9x2ab-1042", "1042"],
    ),
]


COMMON = (400, 401, 403, 429, 500, 503)


def json_answer(content: dict[str, Any]) -> Response:
    """JSON without a detour through models."""
    return Response(orjson.dumps(content), media_type="application/json")


def add_event_routes(
    routes: APIRouter, search: SearchService, admitted: Callable[..., Principal]
) -> None:
    """Add the routes below ``/events``."""
    caller = Annotated[Principal, Security(admitted)]

    @routes.post(
        "/events/search",
        tags=["events"],
        operation_id="events_search",
        summary="Search records",
        response_model=schemas.SearchAnswer,
        responses=problem_answers(*COMMON, 413, 422),
        openapi_extra=scoped(Scope.EVENTS_READ),
    )
    def events_search(principal: caller, asked: schemas.SearchRequest) -> Response:
        """Records that match, a page at a time; stable while records arrive."""
        with text_of(asked) as query:
            answer = search.search(
                principal,
                by_names(asked, query),
                limit=asked.limit,
                cursor=asked.cursor,
                include_repeats=asked.include_repeats,
                oldest_first=asked.sort == "oldest",
            )
        return json_answer(answer.as_dict())

    @routes.get(
        "/events/{event_id}",
        tags=["events"],
        operation_id="events_get",
        summary="One record",
        response_model=schemas.EventDetail,
        responses=problem_answers(*COMMON, 404, 422),
        openapi_extra=scoped(Scope.EVENTS_READ),
    )
    def events_get(principal: caller, event_id: EventId) -> Response:
        """Everything known of one record: sentences, fields, message, findings, peer."""
        return json_answer(search.event(principal, event_id).as_dict())

    @routes.get(
        "/events/{event_id}/message",
        tags=["events"],
        operation_id="events_message",
        summary="The exact octets of a message",
        response_class=Response,
        responses=problem_answers(*COMMON, 404, 422)
        | {
            200: {
                "description": "The message as received, syslog header included.",
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            }
        },
        openapi_extra=scoped(Scope.EVENTS_RAW),
    )
    def events_message(principal: caller, event_id: EventId) -> Response:
        """The octets as the journal holds them; ARR-Message-Offset is where MSG begins."""
        message = search.message(principal, event_id)
        return Response(
            message.received,
            media_type="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="{message.id}.bin"',
                "ARR-Message-Offset": str(message.msg_offset),
                "ARR-Original-Length": str(message.original_length),
            },
        )
