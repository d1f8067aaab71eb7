"""JournalWriter: the one process that appends. No sequence is returned before it is durable.

After a failed sync the writer is dead: nothing more is written, everything raises
JournalUnavailable, and a new start re-reads the journal's end from disk.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from audit.errors import JournalUnavailable
from audit.journal import master_keys
from audit.journal.entry import SALT_OCTETS, Received
from audit.journal.files import DiskStateUnknown, Files
from audit.journal.head_publisher import HeadPublisher
from audit.journal.identity import Identity
from audit.journal.initialise import load_or_create_identity
from audit.journal.key_rotation import KeyRotation
from audit.journal.locks import lock_directory
from audit.journal.note import Checkpoint
from audit.journal.open_segment import OpenSegment, is_refusal
from audit.journal.position import PositionFile, read_position
from audit.journal.recovery import RecoveredState, Recovery, recover
from audit.journal.reserve import Reserve
from audit.journal.segment import SegmentHead
from audit.journal.tree_store import TreeWriter
from audit.journal.underway import Underway
from audit.journal.writer_options import NS_PER_S, JournalOptions

__all__ = ["JournalOptions", "JournalWriter"]


class JournalWriter:
    """Appends to one journal. Its methods may be called from several threads."""

    def __init__(  # noqa: PLR0913 — built by ``open`` alone
        self,
        journal_dir: Path,
        options: JournalOptions,
        *,
        identity: Identity,
        publisher: HeadPublisher,
        rotation: KeyRotation,
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
        self._reserve = Reserve(journal_dir, options.reserve_octets, files)
        self._clock = clock
        self._keys = options.master_keys or master_keys.in_use()
        self._lock_fd = lock_fd
        self._tree = state.tree
        self._tree_writer = TreeWriter(journal_dir, files, state.tree.size)
        self._segment = state.open_segment
        self._last_first = state.first_sequence
        self._publisher = publisher
        self._rotation = rotation
        self._overlap_end = rotation.overlap_end()
        self._position: PositionFile | None = None
        self._underway: Underway | None = None
        self._untold: OSError | None = None
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
            lock_fd = lock_directory(journal_dir, options.lock_wait_s)
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
        rotation = KeyRotation(journal_dir, options.key_file, files, clock)
        identity = rotation.finish(identity)
        signers = rotation.signers(identity)
        shown = read_position(options.position_file)
        state = recover(journal_dir, identity, files, shown, options.master_keys)
        publisher = HeadPublisher(journal_dir, signers, files, state.next_head)
        publisher.resume(state.head, state.unshown_note)
        writer = cls(
            journal_dir,
            options,
            identity=identity,
            publisher=publisher,
            rotation=rotation,
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
        """Entries that are durable."""
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
    def current_key(self) -> tuple[int, str, int]:
        """Size above which the newest key signs, its text, and until when both keys sign."""
        newest = self.identity.keys[-1]
        return max(0, newest.since - 1), newest.verifier.text, self._overlap_end

    @property
    def failure(self) -> str:
        """Why the writer is dead; empty while it lives."""
        return self._reason

    def has_room(self) -> bool:
        """Whether the disk's reserve is untouched; when not, stop taking data."""
        return self._reserve.is_untouched()

    def append(self, batch: Sequence[Received]) -> range:
        """Make the records durable, in order, together; return their sequences.

        Raises:
            JournalUnavailable: nothing of the batch was promised. When ``failure`` is empty the
                disk had no room and a later try may work; else the writer is dead.
        """
        with self._mutex:
            sequences = self.begin(batch) if batch else range(self._tree.size, self._tree.size)
            self.finish()
            return sequences

    def begin(self, batch: Sequence[Received]) -> range:
        """Hand records to the disk, at least one; return the sequences they will have.

        They are durable once ``durable_count`` has reached the end of these: after ``finish``,
        and after the next ``begin``, which uses the time until then to encode and hash its own.

        Raises:
            JournalUnavailable: as for ``append``; the batch before was not made durable either,
                unless ``durable_count`` has reached its end.
        """
        with self._mutex:
            self._require_alive()
            try:
                self._require_told()
                tree = self._tree if self._underway is None else self._underway.tree
                underway = Underway(tree, os.urandom(SALT_OCTETS * len(batch)), batch)
                self._complete()
                octets = len(underway.encoded.octets)
                self._reserve.require_half(octets)
                self._segment_for(octets).begin_append(underway.encoded)
                self._underway = underway
            except (OSError, MemoryError) as error:
                self._untold = None
                self._fail(error)
            return range(tree.size, tree.size + len(batch))

    def finish(self) -> None:
        """What was begun is durable.

        Raises:
            JournalUnavailable: as for ``append``, unless ``durable_count`` says that it is.
        """
        with self._mutex:
            self._require_alive()
            try:
                self._require_told()
                self._complete()
            except (OSError, MemoryError) as error:
                self._untold = None
                self._fail(error)

    def publish_head(self) -> Checkpoint:
        """Sign and publish a head that covers every durable entry, unless the newest does.

        What was begun is waited for; when it is refused, its owner is told so by the next
        ``begin`` or ``finish`` as well.

        Raises:
            JournalUnavailable: as for ``append``; what was durable before stays so.
        """
        with self._mutex:
            self._require_alive()
            try:
                self._complete()
                self._publish()
            except (OSError, MemoryError) as error:
                self._fail(error)
            return self.head

    def rotate_key(self, overlap_s: float) -> None:
        """Hand over to a new signing key; both sign heads for so long.

        Raises:
            RequestError: the log has not grown since the last time.
            JournalUnavailable: as for ``publish_head``; or it failed half way, then the writer is
                dead, and a new start ends it or undoes it.
            AuditError: a key or a seal can't be used; nothing was changed.
        """
        with self._mutex:
            self.publish_head()
            overlap_ns = round(overlap_s * NS_PER_S)
            try:
                self.identity = self._rotation.rotate(self.identity, self.head, overlap_ns)
                self._publisher.signers = self._rotation.signers(self.identity)
                self._overlap_end = self._rotation.overlap_end()
            except OSError as error:
                self._reason = f"the change of keys was cut short ({error}); restart"
                self._fail(error)

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

    def _complete(self) -> None:
        """What is underway is durable, and readers see it."""
        if self._underway is None or self._segment is None:
            return
        underway, self._underway = self._underway, None
        try:
            self._segment.end_append()
        except OSError as error:
            self._untold = error
            raise
        self._tree = underway.tree
        self._tree_writer.add_many(underway.encoded.leaves, underway.completed)
        for sha256, sequence in underway.certificates:
            self.certificates.add(sha256, sequence)
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
            or self._options.is_full(segment.contents, octets, self._clock())
            or (self._options.take_close_request() and bool(segment.contents.offsets))
        )

    def _publish(self) -> None:
        if self.has_current_head:
            return
        self._tree_writer.flush_durably()
        if len(self._publisher.signers) > 1 and self._clock() >= self._overlap_end:
            self._rotation.end_overlap()
            self._publisher.signers = self._publisher.signers[:1]
        self._publisher.publish(self._tree, self._last_first)

    def give_up(self, why: str) -> None:
        """Take no more data, for a reason that isn't the disk's."""
        with self._mutex:
            self._reason = self._reason or f"{why}; restart"

    def _require_told(self) -> None:
        """Who began what was refused meanwhile hears of it before anything takes its place."""
        if self._untold is not None:
            raise self._untold

    def _require_alive(self) -> None:
        if self._reason:
            raise JournalUnavailable(f"the journal takes no more data: {self._reason}")

    def _fail(self, error: OSError | MemoryError) -> NoReturn:
        if isinstance(error, MemoryError):
            self._reason = "there was no memory for a batch; restart"
        elif isinstance(error, DiskStateUnknown):
            self._reason = f"a sync failed ({error}), so what is on disk is unknown; restart"
        elif not is_refusal(error):
            self._reason = f"writing failed ({error}); restart"
        raise JournalUnavailable(
            f"nothing more was made durable: {self._reason or error}"
        ) from error

    def _release_files(self) -> None:
        if self._segment is not None:
            self._segment.release()
        if self._position is not None:
            self._position.close()
        self._publisher.close()
