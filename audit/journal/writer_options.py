"""How a journal is written."""

from dataclasses import dataclass
from pathlib import Path

from audit.errors import ConfigurationError
from audit.journal.master_keys import MasterKeys
from audit.journal.open_segment import SegmentContents

NS_PER_S = 1_000_000_000


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

    def is_full(self, contents: SegmentContents, octets: int, now: int) -> bool:
        """Whether a segment that holds something takes no more: so many octets, at this time."""
        if not contents.offsets:
            return False
        return (
            contents.end + octets > self.segment_max_octets
            or len(contents.offsets) >= self.segment_max_entries
            or (now - contents.head.created_at) / NS_PER_S >= self.segment_max_age_s
        )

    def take_close_request(self) -> bool:
        """Whether somebody asks for the segment to be closed; asked once for each request."""
        request = self.close_request_file
        if request is None or not request.exists():
            return False
        request.unlink(missing_ok=True)
        return True
