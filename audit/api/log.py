"""The log itself over HTTP, as C2SP tlog-tiles lays it out: head, tiles, entry bundles.

Head and tiles are open to every authenticated reader: they hold salted hashes, so nothing of a
record. An entry bundle holds envelopes, which tell who sent when, and let guesses of a message be
tested: it needs the scope ``events:raw``, and each look is journaled before it is answered.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.api.events import scoped
from audit.errors import Denied, JournalUnavailable, NotFound
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import read_checkpoint
from audit.journal.note import Checkpoint, open_note, parse_checkpoint
from audit.journal.reader import JournalReader
from audit.journal.tree_store import TILE_WIDTH, TreeReader, hashes_at_level
from audit.query.access import Principal, Scope
from audit.query.self_audit import SelfAudit

PREFIX = "/log"
TILE_MEDIA_TYPE = "application/octet-stream"
HEAD_MEDIA_TYPE = "text/plain; charset=utf-8"
UNCHANGING = "private, max-age=31536000, immutable"
HARDLY_CACHED = "private, max-age=1"
_LEVEL = "0|[1-9]|[1-5][0-9]|6[0-3]"
_NUMBER = r"(?:x[0-9]{3}/)*[0-9]{3}"
_WIDTH = r"[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]"
_TILE = re.compile(
    rf"(?P<level>{_LEVEL}|entries)/(?P<number>{_NUMBER})(?:\.p/(?P<width>{_WIDTH}))?"
)
_LONGEST_PATH = 64


@dataclass(frozen=True, slots=True)
class PublishedLog:
    """The journal as others see it: as far as a signed head covers it.

    Attributes:
        journal_dir: the journal.
        reader: of the same journal.
        cosigned: where cosigned heads are kept; None when no witness is asked.
    """

    journal_dir: Path
    reader: JournalReader
    cosigned: CosignedHeads | None = None

    def head(self) -> tuple[str, Checkpoint]:
        """The head that is shown: with witnesses, the newest that they were asked to cosign.

        Raises:
            IntegrityViolation: it is damaged or not signed by the log's key.
        """
        keys = tuple(key.verifier for key in self.reader.identity.keys)
        shown = None if self.cosigned is None else self.cosigned.shown(keys)
        if shown is not None:
            return shown
        note = read_checkpoint(self.journal_dir)
        return note, parse_checkpoint(open_note(note, keys))

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Hashes of a tile.

        Raises:
            NotFound: no head that is shown covers all of it.
        """
        self._require_covered(level, number, width)
        return TreeReader(self.journal_dir).tile(level, number, width)

    def bundle(self, number: int, width: int) -> bytes:
        """Envelopes of consecutive entries, each behind its length in two octets.

        Raises:
            NotFound: no head that is shown covers all of them, or the content of one was lawfully
                removed, so that its envelope can't be made again.
            JournalUnavailable: the journal can't be read so far.
        """
        self._require_covered(0, number, width)
        first = number * TILE_WIDTH
        envelopes = [entry.envelope for entry in self.reader.iterate(first, first + width)]
        if len(envelopes) != width:
            raise JournalUnavailable("the journal's durable position lies below its head")
        return b"".join(len(one).to_bytes(2) + one for one in envelopes)

    def _require_covered(self, level: int, number: int, width: int) -> None:
        _, head = self.head()
        if number * TILE_WIDTH + width > hashes_at_level(head.size, level):
            raise NotFound("the published log does not reach so far")


def create_log_routes(log: PublishedLog, doorkeeper: Doorkeeper, audit: SelfAudit) -> APIRouter:
    """The routes below ``/log``, for ``audit.web.application.create_app``.

    Args:
        log: what is published.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        audit: journals each look at envelopes.
    """
    # C2SP describes these resources; the OpenAPI document leaves them to it.
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)

    @routes.get("/checkpoint", openapi_extra=scoped(None))
    def checkpoint(request: Request) -> Response:
        doorkeeper.admit(request)
        note, _ = log.head()
        headers = {"Content-Type": HEAD_MEDIA_TYPE, "Cache-Control": HARDLY_CACHED}
        return Response(note, headers=headers)

    @routes.get("/tile/{path:path}", openapi_extra=scoped(None))
    async def tile(request: Request, path: str) -> Response:
        content = await run_in_threadpool(_tile, request, path)
        headers = {"Content-Type": TILE_MEDIA_TYPE, "Cache-Control": UNCHANGING}
        return Response(content, headers=headers)

    def _tile(request: Request, path: str) -> bytes:
        principal = doorkeeper.admit(request)
        matched = _TILE.fullmatch(path) if len(path) <= _LONGEST_PATH else None
        if matched is None or matched["number"].startswith("x000"):
            raise NotFound("that is no tile's name (C2SP tlog-tiles)")
        number = int(matched["number"].replace("x", "").replace("/", ""))
        width = int(matched["width"] or TILE_WIDTH)
        if matched["level"] != "entries":
            return log.tile(int(matched["level"]), number, width)
        return _bundle(principal, number, width)

    def _bundle(principal: Principal, number: int, width: int) -> bytes:
        first = number * TILE_WIDTH
        looked = (("view", f"envelopes of the entries {first} to {first + width - 1}"),)
        _require_bundles(audit, principal, looked)
        content = log.bundle(number, width)
        audit.used(principal, looked)
        return content

    return routes


def _require_bundles(
    audit: SelfAudit, principal: Principal, looked: tuple[tuple[str, str], ...]
) -> None:
    """Let whoever may see every message pass; raises Denied, which is journaled."""
    why = ""
    if not principal.may(Scope.EVENTS_RAW):
        why = f"it needs the scope {Scope.EVENTS_RAW}"
    elif principal.rows is not None:
        why = "it doesn't see every record, and a bundle can't be narrowed"
    if why:
        told = f"{principal.name} may not do this: {why}"
        audit.denied(principal, looked, told)
        raise Denied(told)
