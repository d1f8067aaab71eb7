"""The SIEM feed over HTTP: records as lines, each once, from any place on, with waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Security
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.api.events import COMMON
from audit.errors import RequestError
from audit.index.document import IndexedRecord
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail
from audit.query.pseudonyms import Pseudonyms
from audit.siem.disclosure import Discloser, Disclosure
from audit.siem.feed import Feed, FeedPiece, cursor_of, position_of
from audit.siem.formats import Formatter, ReadOriginal, SiemFormat, Unmappable
from audit.siem.ocsf import NEWEST
from audit.siem.syslog import SyslogForm
from audit.web.declared import Leaves, scoped
from audit.web.errors import Unauthenticated
from audit.web.openapi import problem_answers
from audit.web.places import Places
from audit.web.uses import Uses

log = structlog.get_logger()

PREFIX = "/siem/v1"
NEXT_CURSOR = "ARR-Next-Cursor"
INDEX_LAG = "ARR-Index-Lag"

After = Annotated[
    str | None,
    Query(
        description="ARR-Next-Cursor of the answer before; without it the feed begins with the "
        "oldest record.",
        max_length=64,
        examples=["k3f9x2ab-1042"],
    ),
]
Limit = Annotated[int, Query(ge=1, description="Most records of the answer.")]
Wait = Annotated[
    float,
    Query(
        ge=0,
        description="Seconds to wait for a record when there is none; only with a cursor.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemFeedOptions:
    """How the feed is given.

    Attributes:
        disclosure: what may leave, to callers whose scopes allow it as well.
        pseudonym_key: keys the pseudonyms.
        form: of syslog messages.
        read_original: the octets of a record's message.
        include_repeats: byte-identical re-deliveries too.
        max_values: most values of a list in a line.
        ocsf_version: of OCSF.
        max_limit: most records of one answer.
        max_octets: an answer ends before the line that would make it longer; its first line may.
        max_wait_s: longest wait for a record.
        poll_s: how often a waiting answer looks for new records.
        max_waiting: answers that wait at once.
        max_waiting_per_caller: of these, those of one caller.
        session_s: a feed asked for again within this is the same use, with one record of it.
        longest_session_s: a use that goes on for longer gets another record.
        clock: seconds that only grow.
        sleep: lets seconds pass by that clock.
    """

    disclosure: Disclosure = field(default_factory=Disclosure)
    pseudonym_key: bytes = field(repr=False)
    form: SyslogForm = field(default_factory=SyslogForm)
    read_original: ReadOriginal
    include_repeats: bool = False
    max_values: int = 100
    ocsf_version: str = NEWEST
    max_limit: int = 1_000
    max_octets: int = 16 * 1024 * 1024
    max_wait_s: float = 60.0
    poll_s: float = 0.5
    max_waiting: int = 64
    max_waiting_per_caller: int = 4
    session_s: float = 900.0
    longest_session_s: float = 86_400.0
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def create_siem_routes(
    trail: AuditedTrail, doorkeeper: Doorkeeper, options: SiemFeedOptions
) -> APIRouter:
    """The routes of ``/siem/v1``, for ``audit.web.application.create_app``.

    Args:
        trail: where records are found, and who looked is journaled.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        options: of the feed.
    """
    feeds = _Feeds(trail, doorkeeper, options)

    routes = APIRouter(prefix=PREFIX)
    caller = Annotated[Principal, Security(doorkeeper.admitted)]
    lines = {"type": "string", "description": "One record a line."}

    @routes.get(
        "/events",
        tags=["siem"],
        operation_id="siem_events",
        summary="Records for a SIEM, in the order of the journal",
        response_class=Response,
        responses=problem_answers(*COMMON, 422)
        | {
            200: {
                "description": "Lines: JSON for ecs and ocsf, text for cef and syslog.",
                "headers": {
                    NEXT_CURSOR: {
                        "description": "Where to go on.",
                        "schema": {"type": "string"},
                    },
                    INDEX_LAG: {
                        "description": "Journal entries that are not searchable yet.",
                        "schema": {"type": "integer"},
                    },
                },
                "content": {
                    "application/x-ndjson": {"schema": lines},
                    "text/plain": {"schema": lines},
                },
            }
        },
        openapi_extra=scoped(Scope.SIEM_READ, leaves=Leaves.USE),
    )
    async def siem_events(
        request: Request,
        principal: caller,
        form: Annotated[SiemFormat, Query(alias="format")] = SiemFormat.ECS,
        after: After = None,
        limit: Limit = 100,
        wait: Wait = 0.0,
    ) -> Response:
        """Each record once: go on with `after` set to the ARR-Next-Cursor of the last answer.

        Patients, studies, accession numbers and what else leads to a patient are pseudonyms unless
        setting and scope let them out. Your own looks are left out; one record of the use is kept,
        breaks of less than a quarter of an hour included.
        """
        call = _Call(request, principal, form)
        return await feeds.answer(call, after, limit, wait)

    return routes


@dataclass(frozen=True, slots=True)
class _Call:
    request: Request
    principal: Principal
    form: SiemFormat

    @property
    def caller(self) -> str:
        """Under which name its token's uses and places are counted."""
        return f"siem:{self.request.state.token_id}"


class _Feeds:
    """What all callers share."""

    def __init__(
        self, trail: AuditedTrail, doorkeeper: Doorkeeper, options: SiemFeedOptions
    ) -> None:
        self._trail = trail
        self._doorkeeper = doorkeeper
        self._options = options
        self._uses = Uses(options.session_s, clock=options.clock)
        self._long_uses = Uses(options.longest_session_s, clock=options.clock)
        self._waiting = Places(
            "waiting feeds", most=options.max_waiting, most_per_key=options.max_waiting_per_caller
        )
        pseudonyms = Pseudonyms(options.pseudonym_key)
        self._disclosers: Callable[[Disclosure], Discloser] = _one_for_each(pseudonyms)

    async def answer(self, call: _Call, after: str | None, limit: int, wait: float) -> Response:
        """One answer; waits for it only when a cursor says that the caller is up to date."""
        options = self._options
        if limit > options.max_limit:
            raise RequestError(f"limit is {limit}; allowed are 1 to {options.max_limit}")
        wait = min(wait, options.max_wait_s) if after is not None else 0.0
        feed, position = await run_in_threadpool(self._open, call, after)
        piece = await run_in_threadpool(feed.read, position, limit)
        if not piece.records and wait > 0:
            piece = await self._wait(call, feed, piece, limit, wait)
        return await run_in_threadpool(self._response, call, piece)

    def _open(self, call: _Call, after: str | None) -> tuple[Feed, int]:
        feed = Feed(self._trail, call.principal, include_repeats=self._options.include_repeats)
        position = position_of(after, self._trail.reader.origin)
        if position > feed.journal_end():
            raise RequestError(
                "after: the cursor lies behind the journal's end, which was restored from a "
                "backup; leave it out to begin anew"
            )
        use = f"{call.caller} {call.form}"
        if not (self._uses.goes_on(use) and self._long_uses.goes_on(use)):
            feed.record_use(("format", str(call.form)), ("after", after or "the oldest"))
            self._long_uses.see(use)
        self._uses.see(use)
        return feed, position

    async def _wait(
        self, call: _Call, feed: Feed, piece: FeedPiece, limit: int, wait: float
    ) -> FeedPiece:
        """Look again now and then, but only where the index has moved on."""
        clock = self._options.clock
        deadline = clock() + wait
        with ExitStack() as place:
            place.callback(self._waiting.take(call.caller))
            while not piece.records and (left := deadline - clock()) > 0:
                await self._options.sleep(min(self._options.poll_s, left))
                if await run_in_threadpool(feed.position) > piece.position:
                    piece = await run_in_threadpool(feed.read, piece.position, limit)
        if not await run_in_threadpool(
            self._doorkeeper.still_admits, call.request, Scope.SIEM_READ
        ):
            raise Unauthenticated("the token has ended")
        return piece

    def _response(self, call: _Call, piece: FeedPiece) -> Response:
        self._uses.see(f"{call.caller} {call.form}")
        lines, position = self._lines(self._formatter(call), piece)
        return Response(
            b"".join(lines),
            media_type=call.form.media_type,
            headers={
                NEXT_CURSOR: cursor_of(self._trail.reader.origin, position),
                INDEX_LAG: str(piece.index_lag.behind),
                "Cache-Control": "no-store",
            },
        )

    def _lines(self, formatter: Formatter, piece: FeedPiece) -> tuple[list[bytes], int]:
        """As many lines as an answer may have octets, and where the next answer begins."""
        lines: list[bytes] = []
        left = self._options.max_octets
        for record in piece.records:
            line = self._line(formatter, record)
            left -= len(line)
            if lines and left < 0:
                return lines, record.sequence
            lines.append(line)
        return lines, piece.position

    def _line(self, formatter: Formatter, record: IndexedRecord) -> bytes:
        """The record, or in place of one that our mapping fails on, that there is such a one."""
        try:
            return formatter.line(record) + b"\n"
        except Unmappable as error:
            log.warning("record not mapped", record=record.id, reason=str(error))
            return formatter.placeholder(record) + b"\n"

    def _formatter(self, call: _Call) -> Formatter:
        options, principal = self._options, call.principal
        disclosure = Disclosure(
            patients=options.disclosure.patients and principal.may(Scope.PATIENTS_IDENTIFY),
            staff=options.disclosure.staff,
            original=options.disclosure.original and principal.may(Scope.EVENTS_RAW),
        )
        return Formatter(
            call.form,
            self._disclosers(disclosure),
            options.form,
            options.read_original,
            options.max_values,
            options.ocsf_version,
        )


def _one_for_each(pseudonyms: Pseudonyms) -> Callable[[Disclosure], Discloser]:
    made: dict[Disclosure, Discloser] = {}

    def discloser(disclosure: Disclosure) -> Discloser:
        return made.setdefault(disclosure, Discloser(pseudonyms, disclosure))

    return discloser
