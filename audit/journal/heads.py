"""The history of signed heads: its text form (pure) and the files that hold it.

A record is the line ``head N``, counted from 0 without gaps, the signed note verbatim, and an
empty line.
"""

import re
from pathlib import Path
from typing import NamedTuple

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.note import Checkpoint, VerifierKey, open_note, parse_checkpoint

_RECORD = re.compile(
    rb"head (0|[1-9][0-9]{0,19})\n([^\n]+\n[^\n]+\n[^\n]+\n\n(?:\xe2\x80\x94 [^\n]+\n)+)\n"
)


class HeadRecord(NamedTuple):
    """One published head and where its record ends in its file."""

    number: int
    note: str
    end: int

    def checkpoint(self, key: VerifierKey) -> Checkpoint:
        """What the note says, when the key signed it.

        Raises:
            IntegrityViolation: it did not.
        """
        return parse_checkpoint(open_note(self.note, (key,)))

    def unchecked(self) -> Checkpoint:
        """What the note says, whoever signed it.

        Raises:
            IntegrityViolation: the note holds no checkpoint.
        """
        return parse_checkpoint(self.note.partition("\n\n")[0] + "\n")


def encode_record(number: int, note: str) -> bytes:
    """The octets of one record."""
    return f"head {number}\n{note}\n".encode()


def parse_history(octets: bytes) -> tuple[list[HeadRecord], int]:
    """The whole records from the beginning, and the offset where they end.

    Octets after that offset are a record cut short, or damage.
    """
    records: list[HeadRecord] = []
    place = 0
    while match := _RECORD.match(octets, place):
        place = match.end()
        try:
            records.append(HeadRecord(int(match[1]), match[2].decode(), place))
        except UnicodeDecodeError:
            return records, match.start()
    return records, place


def history_files(journal_dir: Path) -> list[tuple[int, Path]]:
    """The files of the history with the first sequence of their segment, oldest first."""
    return sorted(
        (first, path)
        for path in (journal_dir / layout.HEADS).iterdir()
        if path.suffix == layout.HEADS_SUFFIX
        and (first := layout.first_sequence(path.name)) is not None
    )


def latest_record(journal_dir: Path) -> HeadRecord | None:
    """The newest whole record of the history.

    Raises:
        OSError: the history can't be read.
    """
    for _, path in reversed(history_files(journal_dir)):
        records, _ = parse_history(path.read_bytes())
        if records:
            return records[-1]
    return None


def read_checkpoint(journal_dir: Path) -> str:
    """The newest published head, a signed note.

    Raises:
        IntegrityViolation: it is missing or no text.
    """
    try:
        return (journal_dir / layout.CHECKPOINT).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise IntegrityViolation(f"the journal's checkpoint can't be read: {error}") from error
