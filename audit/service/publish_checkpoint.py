"""What ``arr checkpoint`` does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.errors import JournalUnavailable
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.note import Checkpoint, open_note, parse_checkpoint
from audit.journal.proof import prove_growth
from audit.journal.verify_heads import signed_head
from audit.journal.witness_protocol import parse_growth
from audit.service.paths import DataPaths
from audit.service.publish import FolderOutlet, outlet_for, publish
from audit.service.publish_http import HttpOptions
from audit.service.publish_proofs import log_keys, newest_head
from audit.service.publish_timestamps import KeptTimestamp, timestamp_head
from audit.settings import Settings


@dataclass(frozen=True, slots=True)
class Taken:
    """The newest head and where it was taken.

    Attributes:
        note: the head.
        head: what it says.
        places: outside, where it now is.
        stamped: its timestamp, when one was asked for.
    """

    note: str
    head: Checkpoint
    places: tuple[str, ...] = ()
    stamped: KeptTimestamp | None = None

    def lines(self) -> list[str]:
        """For people."""
        told = [f"published: {place}" for place in self.places]
        if self.stamped is not None:
            trust = "" if self.stamped.timestamp.trusted else " (authority not checked)"
            at = self.stamped.timestamp.at.isoformat()
            told.append(f"timestamped at {at}{trust}: {self.stamped.timestamp_file}")
        return told

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        stamped = self.stamped
        return {
            "log": self.head.origin,
            "size": self.head.size,
            "root": self.head.root.hex(),
            "checkpoint": self.note,
            "published": list(self.places),
            "timestamp": None
            if stamped is None
            else {
                "at": stamped.timestamp.at.isoformat(),
                "authority_checked": stamped.timestamp.trusted,
                "head_file": str(stamped.head_file),
                "timestamp_file": str(stamped.timestamp_file),
            },
        }


@dataclass(frozen=True, slots=True)
class Grown:
    """That a log grew from one size to another."""

    origin: str
    old_size: int
    size: int


def take_outside(
    settings: Settings, targets: tuple[str, ...], authority: str | None, authority_ca: Path | None
) -> Taken:
    """The newest head, published and timestamped as asked.

    Raises:
        JournalUnavailable: there is no journal.
        IntegrityViolation: what is outside contradicts the journal.
        ConnectionFailed: a place or the authority can't be reached.
        StorageError: a file can't be written.
    """
    paths = DataPaths(settings.data)
    identity = _identity(paths)
    note = newest_head(paths)
    http = HttpOptions(
        timeout_s=settings.journal.outside_timeout_s, ca_file=settings.journal.outside_ca
    )
    stamped = None
    if authority is not None:
        stamped = timestamp_head(note, identity, paths.timestamps, authority, http, authority_ca)
        note = stamped.head_file.read_text(encoding="utf-8")
    places = []
    for target in targets:
        outlet = outlet_for(target, identity.origin, http)
        places.append(publish(paths.journal, identity, note, outlet))
        if stamped is not None and isinstance(outlet, FolderOutlet):
            _copy_timestamp(outlet, Path(places[-1]), stamped)
    return Taken(note, signed_head(note, identity), tuple(places), stamped)


def consistency(settings: Settings, old: str | int, new: str | None) -> str:
    """The text of a proof that the log grew from an earlier head, or from that size.

    Raises:
        IntegrityViolation: it did not, or one of the heads is not this log's.
        JournalUnavailable: there is no journal.
    """
    paths = DataPaths(settings.data)
    identity = _identity(paths)
    keys = [key.verifier for key in identity.keys]
    earlier = old if isinstance(old, int) else signed_head(old, identity).size
    growth = prove_growth(paths.journal, keys, earlier, new or newest_head(paths))
    if isinstance(old, str):
        growth.check(signed_head(old, identity), keys)
    return growth.text


def check_growth(proof: str, old: str, keys: tuple[str, ...]) -> Grown:
    """Check a proof with the earlier head and keys of the log, all from outside.

    Raises:
        IntegrityViolation: the proof does not lead from the one head to the other.
        RequestError: a key is none.
    """
    trusted = log_keys(keys)
    earlier = parse_checkpoint(open_note(old, trusted))
    later = parse_growth(proof).check(earlier, trusted)
    return Grown(later.origin, earlier.size, later.size)


def current_key(settings: Settings) -> str:
    """The verifier key that signs the journal's new heads.

    Raises:
        JournalUnavailable: there is no journal.
    """
    return _identity(DataPaths(settings.data)).current_key.text


def _identity(paths: DataPaths) -> Identity:
    try:
        return read_identity(paths.journal)
    except OSError as error:
        raise JournalUnavailable(f"no journal can be read: {error}") from error


def _copy_timestamp(outlet: FolderOutlet, head_file: Path, stamped: KeptTimestamp) -> None:
    """Put the timestamp beside the copy, unless that was there before with other signatures."""
    if head_file.read_bytes() == stamped.head_file.read_bytes():
        outlet.put(head_file.with_name(stamped.timestamp_file.name), stamped.timestamp.answer)
