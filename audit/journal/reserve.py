"""Room on the journal's disk that is left alone, so that a full disk can still be put in order."""

from pathlib import Path

from audit.errors import JournalUnavailable
from audit.journal.files import Files


class Reserve:
    """So many octets of the file system that a folder lies on."""

    def __init__(self, folder: Path, octets: int, files: Files) -> None:
        self._folder = folder
        self._octets = octets
        self._files = files

    def is_untouched(self) -> bool:
        """Whether all of it is free; not when the disk can't be asked."""
        try:
            return self._files.free_octets(self._folder) >= self._octets
        except OSError:
            return False

    def require_half(self, wanted: int) -> None:
        """Half of it stays free once so many octets are written.

        Raises:
            JournalUnavailable: it wouldn't, or the disk can't be asked.
        """
        least = self._octets // 2
        try:
            free = self._files.free_octets(self._folder)
        except OSError as error:
            raise JournalUnavailable(f"the journal's disk can't be asked: {error}") from error
        if free - wanted < least:
            raise JournalUnavailable(
                f"the disk of {self._folder} has {free} octets left, {least} are kept in reserve; "
                "free some space"
            )
