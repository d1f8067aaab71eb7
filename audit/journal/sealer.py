"""Sealer: a thread of the writing process that seals segments once they are closed.

One segment at a time, at the lowest priority that a thread can have, so that intake doesn't wait
for it. What fails is left as it is and told; the plain segment is as good a piece of evidence.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.errors import AuditError, ConfigurationError
from audit.journal import layout
from audit.journal.files import DiskStateUnknown, Files
from audit.journal.locks import try_lock_directory
from audit.journal.open_segment import is_refusal
from audit.journal.recovery import segment_files
from audit.journal.seal import DEFAULT_LEVEL, Sealed, seal_segment
from audit.journal.segment_file import SegmentFile

_LOWEST_PRIORITY = 19
_MAX_LEVEL = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOptions:
    """How segments are sealed.

    Attributes:
        level: of zstd, 1 to 22; see docs/operations.md for what each costs.
        poll_s: how often closed segments are looked for.
        reserve_octets: nothing is sealed while the file system has less room than this.
    """

    level: int = DEFAULT_LEVEL
    poll_s: float = 5.0
    reserve_octets: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.level <= _MAX_LEVEL:
            raise ConfigurationError(f"a seal's level is 1 to {_MAX_LEVEL}")
        if self.poll_s <= 0 or self.reserve_octets < 0:
            raise ConfigurationError("a seal's times and reserve are above zero")


class Sealer:
    """Seals what is closed, from ``start`` to ``stop``.

    Args:
        journal_dir: the journal; another process may write it.
        options: how.
        on_failure: told why a segment could not be sealed. Runs in the thread.
        files: how to change files.
    """

    def __init__(
        self,
        journal_dir: Path,
        options: SealOptions | None = None,
        on_failure: Callable[[str], None] | None = None,
        files: Files | None = None,
    ) -> None:
        self._dir = journal_dir
        self._options = SealOptions() if options is None else options
        self._on_failure = on_failure
        self._files = Files() if files is None else files
        self._done: set[int] = set()
        self._failed: set[int] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-sealer", daemon=True)
        self.sealed_segments = 0
        self.plain_octets = 0
        self.sealed_octets = 0

    def start(self) -> None:
        """Begin to seal in the background."""
        self._thread.start()

    def stop(self, timeout_s: float = 0.2) -> None:
        """Don't begin another segment; one that takes longer is left to the process's end.

        That harms nothing: until the last step the plain segment is in its place.
        """
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def step(self) -> Sealed | None:
        """Seal the oldest closed segment that is plain; None when there is none or no room."""
        with _holding_segments(self._dir) as held:
            if not held or not self._has_room():
                return None
            for first, path in segment_files(self._dir)[:-1]:
                if first in self._done or first in self._failed or self._stop.is_set():
                    continue
                sealed = self._seal(first, path)
                if sealed is not None:
                    return sealed
        return None

    def _seal(self, first: int, path: Path) -> Sealed | None:
        try:
            with SegmentFile(path) as octets:
                is_sealed = octets.head.is_sealed
            sealed = None if is_sealed else seal_segment(self._files, path, self._options.level)
        except (AuditError, OSError) as error:
            if not (isinstance(error, OSError) and is_refusal(error)):
                self._failed.add(first)
            if self._on_failure is not None:
                self._on_failure(f"{path.name} stays plain: {error}")
            if isinstance(error, DiskStateUnknown):
                self._stop.set()
            return None
        self._done.add(first)
        if sealed is not None:
            self.sealed_segments += 1
            self.plain_octets += sealed.plain_octets
            self.sealed_octets += sealed.sealed_octets
        return sealed

    def _has_room(self) -> bool:
        return self._files.free_octets(self._dir) > self._options.reserve_octets

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        while not self._stop.is_set():
            try:
                if self.step() is not None:
                    continue
            except OSError as error:
                if self._on_failure is not None:
                    self._on_failure(f"nothing can be sealed now: {error}")
            self._stop.wait(self._options.poll_s)


@contextlib.contextmanager
def _holding_segments(journal_dir: Path) -> Iterator[bool]:
    fd = try_lock_directory(journal_dir / layout.SEGMENTS)
    try:
        yield fd is not None
    finally:
        if fd is not None:
            os.close(fd)
