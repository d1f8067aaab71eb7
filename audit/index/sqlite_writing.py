"""The writer's side of the embedded index: which record goes to which month file."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audit.index.sqlite_directory import IndexDirectory, month_in, month_of
from audit.index.sqlite_documents import dictionary
from audit.index.sqlite_ready import ReadyRecord
from audit.index.sqlite_schema import discard
from audit.index.sqlite_writer import PartWriter


class Months:
    """The open month files of the writer.

    Args:
        directory: the folder of the index.
        most_open: how many months stay open at once.
    """

    def __init__(self, directory: IndexDirectory, most_open: int) -> None:
        self._directory = directory
        self._most_open = most_open
        self._generation: Path | None = None
        self._open: OrderedDict[str, PartWriter] = OrderedDict()
        self._last_sequences: dict[str, int] = {}

    def put(self, records: Sequence[ReadyRecord]) -> None:
        """Add or replace records; a record that moved to another month leaves the old one."""
        self.become_writer()
        by_month: dict[str, dict[int, ReadyRecord]] = defaultdict(dict)
        for record in {r.sequence: r for r in records}.values():
            by_month[month_of(record.received)][record.sequence] = record
        for month, its_records in by_month.items():
            self._put_in(month, its_records)

    def remove(self, sequences: Sequence[int]) -> int:
        """Remove records from whichever month holds them; the number that were there."""
        self.become_writer()
        removed = 0
        for name in self._directory.parts():
            gone = self._remove_from(name, sequences)
            removed += gone
            if gone and self._part(name).last_sequence() < 0:
                self._drop(name)
        return removed

    def _drop(self, name: str) -> None:
        """Delete a file that holds nothing any more."""
        part = self._open.pop(name)
        part.close()
        self._last_sequences.pop(name, None)
        discard(part.path)

    def optimise(self) -> bool:
        """Bring the newest month that grows into better order; whether there was a need to."""
        self.become_writer()
        growing = [name for name in self._directory.parts() if name == month_in(name)]
        if not growing:
            return False
        with self._writing(growing[-1]) as part:
            return part.optimise()

    def replace(self, names: Sequence[str], by: str) -> None:
        """Close these files: another one holds their records from now on."""
        for name in names:
            part = self._open.pop(name, None)
            if part is not None:
                part.close()
            self._last_sequences.pop(name, None)
        self._last_sequences[by] = self._part(by).last_sequence()

    def close(self) -> None:
        """Close every file."""
        for part in self._open.values():
            part.close()
        self._open.clear()
        self._last_sequences.clear()
        self._generation = None

    def become_writer(self) -> None:
        """Take the lock of the folder, and know what its files hold."""
        generation = self._directory.lock()
        if generation != self._generation:
            self.close()
            self._directory.wrap_key_anew(generation)
            self._directory.remove_leftovers(generation)
            for month in self._directory.parts():
                self._last_sequences[month] = self._part(month).last_sequence()
            self._generation = generation

    def _put_in(self, month: str, records: dict[int, ReadyRecord]) -> None:
        first, last = min(records), self._last_sequences.get(month, -1)
        with self._writing(month) as part:
            part.put(list(records.values()), may_be_there=last >= first)
        self._last_sequences[month] = max(last, *records)
        for other, highest in self._last_sequences.items():
            if other != month and highest >= first:
                self._remove_from(other, list(records))

    def _remove_from(self, month: str, sequences: Sequence[int]) -> int:
        with self._writing(month) as part:
            removed = part.remove(sequences)
            if removed:
                part.forget_old_pages()
        return removed

    @contextmanager
    def _writing(self, month: str) -> Iterator[PartWriter]:
        """The month's file; closed after a failure: what it knows may not have happened."""
        part = self._part(month)
        try:
            yield part
        except BaseException:
            self._open.pop(month).close()
            raise

    def _part(self, month: str) -> PartWriter:
        part = self._open.get(month)
        if part is None:
            if len(self._open) >= self._most_open:
                self._open.popitem(last=False)[1].close()
            path = self._directory.lock() / f"{month}.db"
            part = PartWriter(path, dictionary(), self._directory.key_of(path.parent))
            self._open[month] = part
        self._open.move_to_end(month)
        return part
