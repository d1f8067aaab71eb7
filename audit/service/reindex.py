"""Building an index anew from the journal, while the one that answers goes on.

An operator asks for it through a small file; the process that writes the index does it. An
embedded index is filled beside the old one and then put in its place; in Elasticsearch every
record is put again, each in its own place.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import structlog

from audit.errors import AuditError
from audit.index.port import SearchIndex
from audit.projector.follow import Follower, FollowOptions
from audit.service.backends import (
    Backend,
    Successor,
    open_backend,
    open_reader,
    successor_of,
    why_rebuild,
)
from audit.service.paths import DataPaths
from audit.service.state_file import replace_file
from audit.settings import Settings

log = structlog.get_logger()

LOOK_S: Final = 0.5
"""Between two looks for a request."""

_HANDOVER_S: Final = 0.02
_AFTER_FAILURE_S: Final = 10.0

ASKED: Final = "asked"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"

UNASKED: Final = "unasked"
"""What the id of a rebuild begins with that nobody asked for."""


@dataclass(slots=True)
class ReindexState:
    """How far a rebuild is; what ``/readyz`` and the command line show.

    Attributes:
        id: of the request.
        to: embedded or elasticsearch.
        state: asked, running, done or failed.
        position: first journal sequence that is not in the new index.
        of: how many journal entries are durable.
        reason: why it failed.
    """

    id: str
    to: Backend
    state: str = ASKED
    position: int = 0
    of: int = 0
    reason: str = ""

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def request_file(paths: DataPaths) -> Path:
    """Where a rebuild is asked for."""
    return paths.run / "reindex.json"


def ask_for(paths: DataPaths, to: Backend) -> str:
    """Ask the process that writes the index for a rebuild; the request's id."""
    request_id = token_hex(8)
    content = json.dumps({"id": request_id, "to": to}).encode()
    replace_file(request_file(paths), content)
    return request_id


def last_request(paths: DataPaths) -> ReindexState | None:
    """What was asked for last, and what became of it; its progress stands in the status."""
    try:
        return ReindexState(**{"state": ASKED, **json.loads(request_file(paths).read_bytes())})
    except (OSError, ValueError, TypeError):
        return None


class Reindexer:
    """Does what is asked for, one rebuild at a time, in a thread of its own.

    Args:
        settings: of the repository.
        paths: of the repository.
        indices: those that this process follows the journal with, by backend.
        options: how the new index follows the journal.
        begin_again: told which index was replaced: removals have to be carried out again.
    """

    def __init__(
        self,
        settings: Settings,
        paths: DataPaths,
        indices: Mapping[Backend, SearchIndex],
        options: FollowOptions,
        begin_again: Callable[[Backend], None],
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._indices = indices
        self._options = options
        self._begin_again = begin_again
        self._stop = threading.Event()
        self._due: dict[Backend, Callable[[], None]] = {}
        self._handing_over = threading.Lock()
        self.state: ReindexState | None = None

    def run(self, stop: threading.Event) -> None:
        """Wait for requests until ``stop`` is set; what an index says of itself is one too."""
        self._stop = stop
        while not stop.wait(LOOK_S):
            state = self._due_now()
            if state is None:
                continue
            self.state = state
            self._do(state)
            if stop.is_set():
                return  # what was asked for is asked for still
            replace_file(request_file(self._paths), json.dumps(state.told()).encode())
            if state.state == FAILED:
                stop.wait(_AFTER_FAILURE_S)

    def hand_over(self, backend: Backend) -> None:
        """Between two batches, in the thread that writes that index: what is due to it.

        Raises:
            IndexUnavailable: it failed; it is tried again before the next batch.
        """
        with self._handing_over:
            act = self._due.get(backend)
            if act is not None:
                act()
                del self._due[backend]

    def _in_its_thread(self, backend: Backend, act: Callable[[], None]) -> bool:
        """Have the follower of that index do it, so that no batch comes in between.

        False when it was not done because all is to stop.
        """
        self._due[backend] = act
        while backend in self._due and not self._stop.wait(_HANDOVER_S):
            pass
        with self._handing_over:
            return self._due.pop(backend, None) is None

    def _due_now(self) -> ReindexState | None:
        asked = last_request(self._paths)
        return asked if asked is not None and asked.state == ASKED else self._unasked()

    def _unasked(self) -> ReindexState | None:
        for backend, index in self._indices.items():
            reason = why_rebuild(index)
            if reason:
                log.warning("the index is to be built anew", index=backend, reason=reason)
                return ReindexState(f"{UNASKED}-{token_hex(4)}", backend)
        return None

    def _do(self, state: ReindexState) -> None:
        log.info("index is built anew", to=state.to)
        state.state = RUNNING
        try:
            self._fill(state)
        except AuditError as error:
            state.state, state.reason = FAILED, str(error)
            log.warning("index was not built anew", reason=str(error))
            return
        state.state = ASKED if self._stop.is_set() else DONE

    def _fill(self, state: ReindexState) -> None:
        there = self._indices.get(state.to)
        index = there or open_backend(state.to, self._settings, self._paths)
        try:
            beside = successor_of(index)
            if beside is not None:
                self._fill_beside(beside, state)
            elif there is None:
                index.put([], 0)
                self._follow(index, state)
            else:
                self._refill_in_place(index, state)
        finally:
            if there is None:
                index.close()

    def _fill_beside(self, beside: Successor, state: ReindexState) -> None:
        promoted = False
        try:
            self._follow(beside.index, state)
            promoted = not self._stop.is_set() and self._promote(beside, state.to)
        finally:
            if not promoted:
                beside.discard()

    def _promote(self, beside: Successor, to: Backend) -> bool:
        def promote() -> None:
            beside.promote()
            self._begin_again(to)

        if to in self._indices:
            return self._in_its_thread(to, promote)
        promote()
        return True

    def _follow(self, index: SearchIndex, state: ReindexState) -> None:
        """Until it has everything that is durable."""
        with open_reader(self._paths) as reader:
            follower = Follower(reader, index, self._options)
            try:
                while not self._stop.is_set():
                    state.of = reader.durable_count()
                    taken = follower.step()
                    state.position = follower.counters.position
                    if taken == 0 and state.position >= state.of:
                        return
            finally:
                follower.close()

    def _refill_in_place(self, index: SearchIndex, state: ReindexState) -> None:
        """Its own follower does it; this waits."""
        with open_reader(self._paths) as reader:
            state.of = reader.durable_count()
        self._in_its_thread(state.to, lambda: index.put([], 0))
        while state.position < state.of and not self._stop.wait(LOOK_S):
            state.position = index.position()
