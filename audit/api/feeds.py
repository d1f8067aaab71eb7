"""Many records at once: the export; and records as they come: the live tail."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Security
from pydantic import Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.api.events import COMMON, json_answer
from audit.api.questions import by_names, text_of
from audit.api.schemas import ExportRequest, NamedQuestion, Strict
from audit.errors import IndexUnavailable, NotFound
from audit.query.access import Principal, Scope
from audit.query.export import MEDIA_TYPE as NDJSON
from audit.query.identities import ByAllNames
from audit.query.search import SearchService
from audit.query.tail import Tail, TailStep
from audit.record.times import format_ns
from audit.web.declared import Leaves, scoped
from audit.web.openapi import problem_answers
from audit.web.options import WebOptions
from audit.web.places import Places
from audit.web.streaming import StreamedResponse
from audit.web.uses import Uses

EVENT_STREAM = "text/event-stream"
_RETRY_MS = 2_000

FilterId = Annotated[
    str,
    Query(
        alias="filter",
        pattern="^[0-9a-f]{32}$",
        description="Id of a filter that the same token saved.",
        examples=["0123456789abcdef0123456789abcdef"],
    ),
]
LastEventId = Annotated[
    Annotated[str, StringConstraints(pattern="^(-1|[0-9]{1,18})$")] | SkipJsonSchema[None],
    Header(
        alias="Last-Event-ID",
        description="Go on after this sequence, -1 for the very first record; without it the "
        "tail begins with what comes next.",
        examples=["1042"],
    ),
]


class TailFilter(Strict):
    """A saved filter for the live tail."""

    id: str = Field(description="Opaque; opens the tail for the same token only.")
    expires_at: str = Field(description="RFC 3339 UTC.")


@dataclass(frozen=True, slots=True)
class Feeds:
    """What long answers share."""

    search: SearchService
    doorkeeper: Doorkeeper
    options: WebOptions
    exports: Places
    tails: Places
    uses: Uses

    @classmethod
    def of(cls, search: SearchService, doorkeeper: Doorkeeper, options: WebOptions) -> "Feeds":
        """With the listener's limits."""
        return cls(
            search,
            doorkeeper,
            options,
            Places(
                "exports",
                most=options.max_exports,
                most_per_key=options.max_exports_per_principal,
            ),
            Places("tails", most=options.max_tails, most_per_key=options.max_tails_per_principal),
            Uses(options.tail_session_s, clock=options.clock),
        )


def _stream(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "description": description}
    return {200: {"description": description, "content": {media_type: {"schema": schema}}}}


def add_feed_routes(routes: APIRouter, feeds: Feeds, admitted: Callable[..., Principal]) -> None:
    """Add ``/events/export`` and ``/events/tail``."""
    caller = Annotated[Principal, Security(admitted)]
    _add_export(routes, feeds, caller)
    _add_tail(routes, feeds, caller)


def _add_export(routes: APIRouter, feeds: Feeds, caller: Any) -> None:
    @routes.post(
        "/events/export",
        tags=["events"],
        operation_id="events_export",
        summary="Export every record that matches",
        response_class=Response,
        responses=problem_answers(*COMMON, 413, 422)
        | _stream(
            NDJSON, "One record a line, as a search gives it; the last line is the trailer."
        ),
        openapi_extra=scoped(Scope.EVENTS_EXPORT, leaves=Leaves.EXPORT),
    )
    def events_export(request: Request, principal: caller, asked: ExportRequest) -> Response:
        """Lines of JSON; without the trailer as last line the export is incomplete.

        The trailer is `{"_trailer": {"count", "sha256", "complete": true}}`: the number of records
        and the SHA-256 of the octets of all lines before it. Begin and end are recorded.
        """
        with ExitStack() as opening:
            opening.callback(feeds.exports.take(request.state.token_id))
            with text_of(asked) as query:
                export = feeds.search.export(
                    principal,
                    by_names(asked, query),
                    include_repeats=asked.include_repeats,
                    oldest_first=asked.sort == "oldest",
                )
            opening.callback(export.close)
            return StreamedResponse(export.chunks(), NDJSON, opening.pop_all())


def _add_tail(routes: APIRouter, feeds: Feeds, caller: Any) -> None:
    saved = feeds.doorkeeper.state.saved_searches

    @routes.post(
        "/events/tail",
        tags=["events"],
        operation_id="events_tail_filter",
        summary="Save a filter for the live tail",
        response_model=TailFilter,
        responses=problem_answers(*COMMON, 413, 422),
        openapi_extra=scoped(Scope.EVENTS_READ),
    )
    def events_tail_filter(request: Request, principal: caller, asked: NamedQuestion) -> Response:
        """Keeps the question, so that the address of the tail names nobody.

        Other names are those known when the tail is opened.
        """
        with text_of(asked) as query:
            feeds.search.check(principal, query)
        looked = (("query", query), ("view", "filter of a live tail"))
        feeds.search.trail.audit.used(principal, looked)
        owner = _owner(request) if asked.identities else _owner_exact(request)
        kept = saved.save(owner, query)
        return json_answer({"id": kept.id, "expires_at": format_ns(kept.expires_at)})

    @routes.get(
        "/events/tail",
        tags=["events"],
        operation_id="events_tail",
        summary="Records as they come",
        response_class=Response,
        responses=problem_answers(*COMMON, 404, 422)
        | _stream(EVENT_STREAM, "Server-sent events: record, heartbeat, end."),
        openapi_extra=scoped(Scope.EVENTS_READ, leaves=Leaves.USE),
    )
    def events_tail(
        request: Request,
        principal: caller,
        filter_id: FilterId,
        last_event_id: LastEventId = None,
    ) -> Response:
        """Server-sent events in the order of the journal; your own looks are left out.

        One record of the use is kept for the whole of it, breaks of less than a quarter of an hour
        included. It ends when the token does.
        """
        looked = (("view", "live tail"),)
        feeds.search.trail.require(principal, Scope.EVENTS_READ, looked)
        kept = saved.find(filter_id)
        if kept is None or kept.owner not in {_owner(request), _owner_exact(request)}:
            raise NotFound("this filter is not known: it has expired, or it is not yours")
        with ExitStack() as opening:
            opening.callback(feeds.tails.take(request.state.token_id))
            use = f"{_owner(request)} {filter_id}"
            tail = feeds.search.tail(
                principal,
                kept.query if kept.owner == _owner_exact(request) else ByAllNames(kept.query),
                since=None if last_event_id is None else int(last_event_id) + 1,
                recorded=feeds.uses.goes_on(use),
            )
            feeds.uses.see(use)
            events = LiveTail(feeds, request, tail, use).events()
            return StreamedResponse(events, EVENT_STREAM, opening.pop_all())


def _owner(request: Request) -> str:
    """Under which name a token's filters are kept; no account is named so."""
    return f"api-token:{request.state.token_id}"


def _owner_exact(request: Request) -> str:
    """The same of filters that ask by the names in them alone."""
    return f"{_owner(request)}:exact"


class LiveTail:
    """One open tail as server-sent events."""

    def __init__(self, feeds: Feeds, request: Request, tail: Tail, use: str) -> None:
        self._feeds = feeds
        self._request = request
        self._tail = tail
        self._use = use
        self._clock = feeds.options.clock
        self._began = self._clock()
        self._told = self._began - feeds.options.tail_heartbeat_s  # the place is told at once

    async def events(self) -> AsyncIterator[bytes]:
        """Events until the token ends, the index fails or the longest time is over."""
        yield f"retry: {_RETRY_MS}\n\n".encode()
        while True:
            text, is_last, pause = await run_in_threadpool(self._next)
            if text:
                yield text
            if is_last:
                return
            if pause:
                await self._feeds.options.sleep(self._feeds.options.tail_poll_s)

    def _next(self) -> tuple[bytes, bool, bool]:
        """What to send now, whether it is the last, and whether to wait after it."""
        options = self._feeds.options
        if self._clock() - self._began >= options.tail_longest_s:
            self._feeds.uses.end(self._use)
            return _event("end", {"reason": "longest time is over"}), True, False
        try:
            step = self._tail.step()
        except IndexUnavailable:
            return _event("end", {"reason": "the index can't answer"}), True, False
        is_due = self._clock() - self._told >= options.tail_heartbeat_s
        if not step.records and not is_due:
            return b"", False, step.caught_up
        if not self._feeds.doorkeeper.still_admits(self._request, Scope.EVENTS_READ):
            return _event("end", {"reason": "the token has ended"}), True, False
        self._told = self._clock()
        self._feeds.uses.see(self._use)
        return _told(self._tail, step), False, step.caught_up


def _told(tail: Tail, step: TailStep) -> bytes:
    records = b"".join(
        _event("record", tail.item(record), record.sequence) for record in step.records
    )
    if records:
        return records
    return _event("heartbeat", {"index_lag": step.index_lag.as_dict()}, step.position - 1)


def _event(kind: str, data: dict[str, Any], place: int | None = None) -> bytes:
    number = b"" if place is None else f"id: {place}\n".encode()
    return number + f"event: {kind}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"
