"""JournalWriter: the one process that appends. No sequence is returned before it is durable.

After a failed sync the writer is dead: nothing more is written, everything raises
JournalUnavailable, and a new start re-reads the journal's end from disk.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from audit.errors import ConfigurationError, JournalBusy, JournalUnavailable
from audit.journal import master_keys
from audit.journal.entry import SALT_OCTETS, EntryKind, Received
from audit.journal.entry_batch import EncodedBatch
from audit.journal.files import DiskStateUnknown, Files, lock_holder, try_lock_directory
from audit.journal.head_publisher import HeadPublisher
from audit.journal.identity import Identity
from audit.journal.initialise import load_or_create_identity, signer_of
from audit.journal.master_keys import KeyMissing, MasterKeys
from audit.journal.note import Checkpoint
from audit.journal.open_segment import OpenSegment, is_refusal
from audit.journal.position import PositionFile, read_position
from audit.journal.recovery import RecoveredState, Recovery, recover
from audit.journal.segment import SegmentHead
from audit.journal.tree_growth import TreeGrowth
from audit.journal.tree_store import TreeWriter

_NS_PER_S = 1_000_000_000
_LOCK_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOptions:
    """How a journal is written.

    Attributes:
        key_file: the log's signing key (PEM, Ed25519), made at the first start, outside the
            journal.
        position_file: where readers in other processes learn the durable count, outside too.
        log_name_prefix: the log's name in signed heads is this, a slash and the origin; a domain
            of the operator by habit. Only used when the journal is made.
        segment_max_octets: a segment is closed before it grows beyond this.
        segment_max_entries: and at this many entries; bounds the time of a restart.
        segment_max_age_s: and at this age, at the next append.
        reserve_octets: room on the file system below which ``has_room`` is False; below half of
            it ``append`` refuses.
        lock_wait_s: how long ``open`` waits for a dying predecessor.
        close_request_file: while there is such a file, the next append closes the segment first
            and removes the file; so another process gets a record into a closed segment.
        master_keys: the first encrypts what is written; the process's own when not given.
    """

    key_file: Path
    position_file: Path
    log_name_prefix: str = "audit-record-repository"
    segment_max_octets: int = 128 << 20
    segment_max_entries: int = 65_536
    segment_max_age_s: float = 86_400
    reserve_octets: int = 256 << 20
    lock_wait_s: float = 10.0
    close_request_file: Path | None = None
    master_keys: MasterKeys | None = None

    def __post_init__(self) -> None:
        if min(self.segment_max_octets, self.segment_max_entries, self.segment_max_age_s) <= 0:
            raise ConfigurationError("a segment's size, entries and age are above zero")
        if min(self.reserve_octets, self.lock_wait_s) < 0:
            raise ConfigurationError("the journal's reserve and lock wait are not below zero")


class JournalWriter:
    """Appends to one journal. Its methods may be called from several threads."""

    def __init__(  # noqa: PLR0913 — built by ``open`` alone
        self,
        journal_dir: Path,
        options: JournalOptions,
        *,
        identity: Identity,
        publisher: HeadPublisher,
        state: RecoveredState,
        lock_fd: int,
        files: Files,
        clock: Callable[[], int],
    ) -> None:
        self.identity = identity
        self.recovery: Recovery = state.report
        self.certificates = state.certificates
        self._dir = journal_dir
        self._options = options
        self._files = files
        self._clock = clock
        self._keys = options.master_keys or master_keys.in_use()
        self._lock_fd = lock_fd
        self._tree = state.tree
        self._growth = TreeGrowth()
        self._tree_writer = TreeWriter(journal_dir, files, state.tree.size)
        self._segment = state.open_segment
        self._last_first = state.first_sequence
        self._publisher = publisher
        self._position: PositionFile | None = None
        self._reason = ""
        self._mutex = threading.RLock()

    @classmethod
    def open(
        cls,
        journal_dir: Path,
        options: JournalOptions,
        *,
        files: Files | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> "JournalWriter":
        """Take the journal for this process, made when missing, its end recovered and durable.

        Raises:
            JournalBusy: another writer still has it after ``lock_wait_s``.
            IntegrityViolation: something below a signed head is missing or altered.
            ConfigurationError: a key is missing, unsafe or not this journal's.
            JournalUnavailable: the disk failed.
        """
        files = Files() if files is None else files
        try:
            files.make_directory_durably(journal_dir)
            lock_fd = _lock(journal_dir, options.lock_wait_s)
        except OSError as error:
            raise JournalUnavailable(f"the journal can't be opened: {error}") from error
        try:
            return cls._open_locked(journal_dir, options, files, clock, lock_fd)
        except BaseException as error:
            os.close(lock_fd)
            if isinstance(error, OSError):
                raise JournalUnavailable(f"the journal can't be opened: {error}") from error
            raise

    @classmethod
    def _open_locked(
        cls,
        journal_dir: Path,
        options: JournalOptions,
        files: Files,
        clock: Callable[[], int],
        lock_fd: int,
    ) -> "JournalWriter":
        identity = load_or_create_identity(
            journal_dir, options.key_file, options.log_name_prefix, files, clock
        )
        signer = signer_of(identity, options.key_file)
        shown = read_position(options.position_file)
        try:
            state = recover(journal_dir, identity, files, shown, options.master_keys)
        except KeyMissing as error:
            raise ConfigurationError(
                f"the journal's last segment can't be read: {error}"
            ) from error
        publisher = HeadPublisher(journal_dir, signer, files, state.next_head)
        publisher.resume(state.head, state.unshown_note)
        writer = cls(
            journal_dir,
            options,
            identity=identity,
            publisher=publisher,
            state=state,
            lock_fd=lock_fd,
            files=files,
            clock=clock,
        )
        try:
            writer._position = PositionFile(options.position_file, files)
            writer._position.show(writer.durable_count)
            writer._publish()
        except BaseException:
            writer._release_files()
            raise
        return writer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def origin(self) -> str:
        """The log's short name."""
        return self.identity.origin

    @property
    def durable_count(self) -> int:
        """Entries that are durable; also the next sequence."""
        return self._tree.size

    @property
    def head(self) -> Checkpoint:
        """The newest signed head."""
        head = self._publisher.head
        if head is None:
            raise AssertionError("a writer resumes from a head")
        return head

    @property
    def has_current_head(self) -> bool:
        """Whether the newest published head covers every durable entry."""
        return self._publisher.is_current(self._tree.size)

    @property
    def failure(self) -> str:
        """Why the writer is dead; empty while it lives."""
        return self._reason

    def has_room(self) -> bool:
        """Whether the disk's reserve is untouched; when not, stop taking data."""
        try:
            return self._files.free_octets(self._dir) >= self._options.reserve_octets
        except OSError:
            return False

    def append(self, batch: Sequence[Received]) -> range:
        """Make the records durable, in order, together; return their sequences.

        Raises:
            JournalUnavailable: nothing of the batch was promised. When ``failure`` is empty the
                disk had no room and a later try may work; else the writer is dead.
        """
        with self._mutex:
            self._require_alive()
            if not batch:
                return range(self.durable_count, self.durable_count)
            first = self.durable_count
            encoded = EncodedBatch(first, os.urandom(SALT_OCTETS * len(batch)), batch)
            self._require_room(encoded.octets)
            try:
                self._write(encoded)
            except OSError as error:
                self._fail(error)
            for number, received in enumerate(batch):
                if received.kind is EntryKind.CERTIFICATE:
                    self.certificates.add(received.certificate_sha256, first + number)
            return range(first, self.durable_count)

    def publish_head(self) -> Checkpoint:
        """Sign and publish a head that covers every durable entry, unless the newest does.

        Raises:
            JournalUnavailable: as for ``append``; entries keep being durable.
        """
        with self._mutex:
            self._require_alive()
            try:
                self._publish()
            except OSError as error:
                self._fail(error)
            return self.head

    def close(self) -> None:
        """Publish a last head, if the writer lives, and give the journal back."""
        with self._mutex:
            if self._lock_fd < 0:
                return
            try:
                if not self._reason:
                    self.publish_head()
            finally:
                self._reason = self._reason or "it is closed"
                self._release_files()
                os.close(self._lock_fd)
                self._lock_fd = -1

    def _write(self, encoded: EncodedBatch) -> None:
        segment = self._segment_for(encoded.octets)
        growth = segment.append_durably(encoded, lambda: self._growth.begin(self._tree, encoded))()
        self._tree = growth.tree
        self._tree_writer.add_many(growth.leaves, growth.completed)
        self._show_position()

    def _show_position(self) -> None:
        """Readers see what is durable; else the writer is dead, for they would never see more."""
        if self._position is None:
            return
        try:
            self._position.show(self.durable_count)
        except OSError as error:
            self._reason = f"the position file can't be written ({error}); restart"
            raise

    def _segment_for(self, octets: int) -> OpenSegment:
        if self._segment is not None and self._is_to_close(self._segment, octets):
            self._publish()
            if self._segment.contents.offsets:
                self._segment.close_durably(self._tree.root())
            self._segment.release()
            self._segment = None
        if self._segment is None:
            head = SegmentHead(
                first_sequence=self._tree.size,
                created_at=self._clock(),
                origin=self.origin,
                peaks=self._tree.peaks,
                certificates=self.certificates.pairs(),
            )
            self._segment = OpenSegment.create_durably(
                self._files, self._dir, head, self._keys.current
            )
            self._last_first = head.first_sequence
        return self._segment

    def _is_to_close(self, segment: OpenSegment, octets: int) -> bool:
        """An empty segment is to be made anew, not closed, when it should be encrypted or not."""
        encrypts = self._keys.current is not None
        return (
            segment.contents.head.is_encrypted != encrypts
            or self._is_full(segment, octets)
            or self._is_asked_to_close(segment)
        )

    def _is_full(self, segment: OpenSegment, octets: int) -> bool:
        contents = segment.contents
        if not contents.offsets:
            return False
        age_s = (self._clock() - contents.head.created_at) / _NS_PER_S
        return (
            contents.end + octets > self._options.segment_max_octets
            or len(contents.offsets) >= self._options.segment_max_entries
            or age_s >= self._options.segment_max_age_s
        )

    def _is_asked_to_close(self, segment: OpenSegment) -> bool:
        request = self._options.close_request_file
        if request is None or not request.exists():
            return False
        request.unlink(missing_ok=True)
        return bool(segment.contents.offsets)

    def _publish(self) -> None:
        if self.has_current_head:
            return
        self._tree_writer.flush_durably()
        self._publisher.publish(self._tree, self._last_first)

    def _require_alive(self) -> None:
        if self._reason:
            raise JournalUnavailable(f"the journal takes no more data: {self._reason}")

    def _require_room(self, octets: int) -> None:
        least = self._options.reserve_octets // 2
        try:
            free = self._files.free_octets(self._dir)
        except OSError as error:
            raise JournalUnavailable(f"the journal's disk can't be asked: {error}") from error
        if free - octets < least:
            raise JournalUnavailable(
                f"the disk of {self._dir} has {free} octets left, {least} are kept in reserve; "
                "free some space"
            )

    def _fail(self, error: OSError) -> NoReturn:
        if isinstance(error, DiskStateUnknown):
            self._reason = f"a sync failed ({error}), so what is on disk is unknown; restart"
        elif not is_refusal(error):
            self._reason = f"writing failed ({error}); restart"
        raise JournalUnavailable(
            f"nothing more was made durable: {self._reason or error}"
        ) from error

    def _release_files(self) -> None:
        self._growth.close()
        if self._segment is not None:
            self._segment.release()
        if self._position is not None:
            self._position.close()
        self._publisher.close()


def _lock(journal_dir: Path, wait_s: float) -> int:
    deadline = time.monotonic() + wait_s
    while (fd := try_lock_directory(journal_dir)) is None:
        if time.monotonic() >= deadline:
            holder = lock_holder(journal_dir)
            who = "another process" if holder is None else f"process {holder}"
            raise JournalBusy(f"{who} is writing to {journal_dir}; stop it first")
        threading.Event().wait(_LOCK_POLL_S)
    return fd
