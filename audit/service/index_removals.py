"""Takes out of the search index what was lawfully removed from the journal.

The journal's statements say what that is. This runs in the process that writes the index, between
its batches, and remembers in a file how many statements it has carried out; when that is lost it
begins again, which changes nothing.
"""

from itertools import islice, takewhile
from pathlib import Path

from audit.index.port import SearchIndex
from audit.journal import layout
from audit.journal.reader import JournalReader
from audit.journal.removal import Removal
from audit.journal.remove import read_removals
from audit.projector.project import record_id
from audit.service.paths import DataPaths
from audit.service.state_file import replace_file

_IDS_AT_ONCE = 500


def applied_file(paths: DataPaths) -> Path:
    """Where it is told how many statements the index has carried out."""
    return paths.run / "index.removals"


def applied_beside_file(paths: DataPaths) -> Path:
    """The same of the index that is filled beside the one that answers."""
    return paths.run / "index-beside.removals"


def applied_count(file: Path) -> int:
    """How many statements an index has carried out, as far as is known."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


class IndexRemovals:
    """Call it often: it looks at one folder's time, and works when there is a new statement.

    Args:
        paths: of the repository.
        reader: its journal.
        index: what to take records out of.
        applied: the file that says how far this came.
    """

    def __init__(
        self, paths: DataPaths, reader: JournalReader, index: SearchIndex, applied: Path
    ) -> None:
        self._applied = applied
        self._paths = paths
        self._reader = reader
        self._index = index
        self._folder = paths.journal / layout.REMOVALS
        self._seen = -1
        self.records = 0

    def begin_again(self) -> None:
        """Carry all out once more: the index may have been filled while one was carried out."""
        self._applied.unlink(missing_ok=True)
        self._seen = -1

    def __call__(self) -> None:
        """Carry out what is due.

        Raises:
            AuditError: index or journal can't be read now; the next call goes on from there.
        """
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed == self._seen:
            return
        removals = read_removals(self._paths.journal, self._reader.identity)
        waiting = removals[applied_count(self._applied) :]
        due = list(takewhile(self._is_due, waiting))
        for removal in due:
            self._carry_out(removal)
            replace_file(self._applied, str(removal.number + 1).encode())
        if len(due) < len(waiting):
            return
        self._seen = changed

    def _is_due(self, removal: Removal) -> bool:
        """Not before its records are behind the index.

        A record must not come back from a batch that was read before the segment changed.
        """
        first, last = removal.spans[0][0], removal.spans[-1][1]
        return self._index.position() > last and self._reader.read(first).is_removed

    def _carry_out(self, removal: Removal) -> None:
        sequences = iter(removal.sequences())
        while some := list(islice(sequences, _IDS_AT_ONCE)):
            ids = [record_id(self._reader.origin, sequence) for sequence in some]
            self.records += self._index.remove(ids)
