"""The durable count that the writer shows to readers in other processes: eight octets in a file.

It lies outside the journal, is never synced, and is made anew at every start: after a crash the
journal itself says how far it goes.
"""

from pathlib import Path

from audit.journal.files import Files

POSITION_OCTETS = 8


class PositionFile:
    """The writer's side."""

    def __init__(self, path: Path, files: Files) -> None:
        files.make_directory_durably(path.parent)
        self._files = files
        self._fd = files.open_scratch(path)

    def show(self, durable_count: int) -> None:
        """Let readers see the entries below this count, which are durable."""
        self._files.write_at(self._fd, 0, (durable_count.to_bytes(POSITION_OCTETS),))

    def close(self) -> None:
        """Give the descriptor back; the file stays, as the entries do."""
        self._files.close(self._fd)


def read_position(path: Path) -> int:
    """The durable count; 0 when no writer has shown one."""
    try:
        with path.open("rb") as stream:
            octets = stream.read(POSITION_OCTETS)
    except FileNotFoundError:
        return 0
    return int.from_bytes(octets) if len(octets) == POSITION_OCTETS else 0
