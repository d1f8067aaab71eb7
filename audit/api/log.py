"""The log itself over HTTP, as C2SP tlog-tiles lays it out: head, tiles, entry bundles.

Head and tiles need the scope ``journal:read``: they hold salted hashes, so nothing of a record;
one record tells of a use of them. An entry bundle holds envelopes, which tell who sent when, and
let guesses of a message be tested: it needs ``events:raw`` besides, and a reader that sees every
record, the repository's own too; each look is journaled before it is answered.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.errors import JournalUnavailable, NotFound
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import read_checkpoint
from audit.journal.note import Checkpoint, open_note, parse_checkpoint
from audit.journal.reader import JournalReader
from audit.journal.tree_store import TILE_WIDTH, TreeReader, hashes_at_level
from audit.query.access import Scope
from audit.query.audited_trail import AuditedTrail, Details
from audit.web.declared import Leaves, scoped
from audit.web.uses import Uses

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
_ENTRIES = "entries/"


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


def create_log_routes(
    log: PublishedLog, doorkeeper: Doorkeeper, trail: AuditedTrail, session_s: float = 900.0
) -> APIRouter:
    """The routes below ``/log``, for ``audit.web.application.create_app``.

    Args:
        log: what is published.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        trail: journals each look at envelopes, and each use of head and tiles.
        session_s: head or tiles read again within this are the same use, with one record of it.
    """
    # C2SP describes these resources; the OpenAPI document leaves them to it.
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)
    reader = _Reader(log, doorkeeper, trail, Uses(session_s))
    of_hashes = scoped(Scope.JOURNAL_READ, leaves=Leaves.USE)
    of_envelopes = scoped(Scope.JOURNAL_READ, Scope.EVENTS_RAW, Scope.AUDIT_READ)

    @routes.get("/checkpoint", openapi_extra=of_hashes)
    def checkpoint(request: Request) -> Response:
        reader.use(request)
        note, _ = log.head()
        headers = {"Content-Type": HEAD_MEDIA_TYPE, "Cache-Control": HARDLY_CACHED}
        return Response(note, headers=headers)

    @routes.get("/tile/entries/{path:path}", openapi_extra=of_envelopes)
    def bundle(request: Request, path: str) -> Response:
        return _unchanging(reader.bundle(request, path))

    @routes.get("/tile/{path:path}", openapi_extra=of_hashes)
    def tile(request: Request, path: str) -> Response:
        return _unchanging(reader.tile(request, path))

    return routes


def _unchanging(content: bytes) -> Response:
    headers = {"Content-Type": TILE_MEDIA_TYPE, "Cache-Control": UNCHANGING}
    return Response(content, headers=headers)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Lets readers in, journals that they read, and reads for them."""

    log: PublishedLog
    doorkeeper: Doorkeeper
    trail: AuditedTrail
    uses: Uses

    def use(self, request: Request) -> None:
        """Let a reader of hashes in; journaled unless this use has its record."""
        principal = self.doorkeeper.admit(request)
        looked: Details = (("view", "hashes of the log"),)
        self.trail.require(principal, Scope.JOURNAL_READ, looked)
        key = str(request.state.token_id)
        if not self.uses.goes_on(key):
            self.trail.audit.used(principal, looked)
        self.uses.see(key)

    def tile(self, request: Request, path: str) -> bytes:
        """Hashes; raises NotFound."""
        self.use(request)
        named = _named(path)
        number, width = _place(named)
        return self.log.tile(int(named["level"]), number, width)

    def bundle(self, request: Request, path: str) -> bytes:
        """Envelopes, for whoever may see every message; raises NotFound."""
        principal = self.doorkeeper.admit(request)
        number, width = _place(_named(_ENTRIES + path))
        first = number * TILE_WIDTH
        looked: Details = (("view", f"envelopes of the entries {first} to {first + width - 1}"),)
        for scope in (Scope.JOURNAL_READ, Scope.EVENTS_RAW):
            self.trail.require(principal, scope, looked)
        self.trail.require_whole(principal, looked)
        content = self.log.bundle(number, width)
        self.trail.audit.used(principal, looked)
        return content


def _named(path: str) -> re.Match[str]:
    """The parts of a tile's name; raises NotFound."""
    matched = _TILE.fullmatch(path) if len(path) <= _LONGEST_PATH else None
    if matched is None or matched["number"].startswith("x000"):
        raise NotFound("that is no tile's name (C2SP tlog-tiles)")
    return matched


def _place(named: re.Match[str]) -> tuple[int, int]:
    """Number and width."""
    number = int(named["number"].replace("x", "").replace("/", ""))
    return number, int(named["width"] or TILE_WIDTH)
