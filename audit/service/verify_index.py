"""Holds the search index against the journal, both ways; changes neither.

Every document is made anew from its journal entry and compared; then every message of the journal
below the index's position must have had one, and name the record that it repeats. What disagrees
is looked at once more at the end, since records arrive and are removed meanwhile.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from audit.errors import AuditError, IncompleteCheck, IntegrityViolation, NotFound
from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex
from audit.journal.entry import Entry, EntryKind
from audit.journal.reader import JournalReader
from audit.projector.certificates import CertificateNames
from audit.projector.jobs import Job, run_jobs
from audit.projector.options import ProjectionOptions
from audit.projector.project import record_id
from audit.projector.repeats import RepeatMemory, RepeatOptions
from audit.service.backends import open_index
from audit.service.dead_letters import refusals_in
from audit.service.paths import DataPaths
from audit.service.project import projection_options, repeat_options
from audit.settings import Settings

MAX_NAMED = 100
"""Beyond it disagreements are counted, not named."""

_PAGE = 500
_REPEAT_OF = "repeat_of"
_MISSING = "is not in the index"

Progress = Callable[[int, int], None]
"""Told (documents and entries looked at, about how many in all)."""


@dataclass(slots=True)
class IndexReport:
    """What was found.

    Attributes:
        position: first journal sequence that is not in the index yet, and so wasn't compared.
        documents: compared with their entries.
        disagreements: all of them.
        refused: how many of them are missing because Elasticsearch refused them, as its list of
            dead letters has it; whoever writes there can put a name on the list, so each is a
            disagreement all the same.
        named: the first of them, as (record id, what is wrong).
    """

    position: int = 0
    documents: int = 0
    disagreements: int = 0
    refused: int = 0
    named: list[tuple[str, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """What ``arr verify --index`` ends with, the journal aside."""
        return IntegrityViolation.exit_code if self.disagreements else 0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"agrees": not self.disagreements, **asdict(self)}

    def add(self, name: str, problem: str) -> None:
        """Count a disagreement, and name it if it is among the first."""
        self.disagreements += 1
        if len(self.named) < MAX_NAMED:
            self.named.append((name, problem))


class IndexCheck:
    """One comparison of an index with the journal that it is a view on."""

    def __init__(
        self,
        index: SearchIndex,
        reader: JournalReader,
        options: ProjectionOptions,
        progress: Progress | None = None,
        repeats: RepeatOptions | None = None,
    ) -> None:
        self._repeats = RepeatMemory(reader.read, repeats or RepeatOptions())
        self._told_repeats: dict[int, str] = {}
        self._true_repeats: dict[str, str] = {}
        self._index = index
        self._reader = reader
        self._options = options
        self._progress = progress
        self._names = CertificateNames(reader.certificate)
        self._report = IndexReport()
        self._suspects: dict[str, str] = {}
        self._seen = bytearray()
        self._refused: dict[str, str] = {}

    def run(self) -> IndexReport:
        """Compare everything.

        Raises:
            IncompleteCheck: the index did not answer whole.
            AuditError: index or journal can't be read.
        """
        report = self._report
        report.position = min(self._index.position(), self._reader.durable_count())
        self._seen = bytearray(report.position // 8 + 1)
        self._refused = refusals_in(self._index)
        for records in self._pages():
            self._compare(records)
            self._tell(report.documents)
        for entry in self._reader.iterate(0, report.position):
            if entry.sequence % _PAGE == 0:
                self._tell(report.documents + entry.sequence)
            if is_document(entry):
                self._look_for(entry)
        self._look_again()
        return report

    def _look_for(self, entry: Entry) -> None:
        """The message has a document, which says what it repeats, if anything."""
        name, earlier = self._id(entry.sequence), self._repeats.note(entry)
        true = "" if earlier is None else self._id(earlier)
        if not self._was_seen(entry.sequence):
            self._suspects[name] = _MISSING
            return
        told = self._told_repeats.get(entry.sequence, "")
        if name not in self._suspects and not self._is_right(told, true):
            self._true_repeats[name] = true
            self._suspects[name] = f"repeats {true or 'no record'}, but says {told or 'nothing'}"

    def _pages(self) -> Iterator[tuple[IndexedRecord, ...]]:
        place = None
        while True:
            page = self._index.search(Everything(), limit=_PAGE, after=place, newest_first=False)
            if page.partial:
                raise IncompleteCheck(f"the index answered in part: {'; '.join(page.warnings)}")
            if page.records:
                yield page.records
            place = page.next_place
            if place is None:
                return

    def _compare(self, records: Iterable[IndexedRecord]) -> None:
        wanted = sorted(
            (one for one in records if one.sequence < self._report.position),
            key=lambda one: one.sequence,
        )
        self._report.documents += len(wanted)
        pairs: list[tuple[IndexedRecord, Entry]] = []
        for record in wanted:
            entry = self._entry_of(record)
            if isinstance(entry, str):
                self._suspects[record.id] = entry
                continue
            self._seen[record.sequence // 8] |= 1 << record.sequence % 8
            if record.first(_REPEAT_OF):
                self._told_repeats[record.sequence] = record.first(_REPEAT_OF)
            pairs.append((record, entry))
        for (record, _), problem in zip(pairs, self._problems(pairs), strict=True):
            if problem:
                self._suspects[record.id] = problem

    def _entry_of(self, record: IndexedRecord) -> Entry | str:
        """The journal's entry, or why the document should not be there."""
        if record.sequence < 0 or record.id != self._id(record.sequence):
            return "is no record of this journal"
        try:
            entry = self._reader.read(record.sequence)
        except NotFound:
            return "is not in the journal"
        if entry.is_removed:
            return "is still in the index, but was lawfully removed from the journal"
        if not is_document(entry):
            return "is in the index, but is no message in the journal"
        return entry

    def _problems(self, pairs: Sequence[tuple[IndexedRecord, Entry]]) -> Iterator[str]:
        """For each pair what differs; empty when nothing does."""
        jobs = [
            Job(
                entry,
                self._names.name(entry.received.certificate_sha256),
                record.first(_REPEAT_OF),
            )
            for record, entry in pairs
        ]
        made = run_jobs(jobs, self._reader.origin, self._options)
        for (record, entry), projected in zip(pairs, made, strict=True):
            differing = ", ".join(differences(record, projected.record))
            if differing:
                yield f"differs from its entry in {differing}"
            elif not self._may_repeat(record, entry):
                yield "is no repeat of the record that it names"
            else:
                yield ""

    def _is_right(self, told: str, true: str) -> bool:
        """Whether it tells what it repeats; what a removed record held can't be said any more."""
        if told == true:
            return True
        return bool(told) and self._reader.read(int(told.rpartition("-")[2])).is_removed

    def _may_repeat(self, record: IndexedRecord, entry: Entry) -> bool:
        """Whether what it says to repeat has the same octets, or is no longer to be compared."""
        named = record.first(_REPEAT_OF)
        if not named:
            return True
        _, _, number = named.rpartition("-")
        if not number.isdecimal() or named != self._id(int(number)):
            return False
        if int(number) >= entry.sequence:
            return False
        earlier = self._reader.read(int(number))
        return earlier.is_removed or earlier.received.raw == entry.received.raw

    def _look_again(self) -> None:
        """What disagreed, one by one: it may only have changed between two looks."""
        for name, problem in self._suspects.items():
            if not self._agrees_now(name):
                refusal = self._refused.get(name) if problem == _MISSING else None
                self._report.refused += refusal is not None
                self._report.add(name, problem + (f": refused: {refusal}" if refusal else ""))

    def _agrees_now(self, name: str) -> bool:
        record = self._index.get(name)
        if record is None:
            _, _, number = name.rpartition("-")
            if not number.isdecimal() or name != self._id(int(number)):
                return True  # it was no record of this journal, and is gone
            try:
                return not is_document(self._reader.read(int(number)))
            except NotFound:
                return True
        entry = self._entry_of(record)
        if isinstance(entry, str) or any(self._problems([(record, entry)])):
            return False
        told = record.first(_REPEAT_OF)
        return name not in self._true_repeats or self._is_right(told, self._true_repeats[name])

    def _was_seen(self, sequence: int) -> bool:
        return bool(self._seen[sequence // 8] >> sequence % 8 & 1)

    def _id(self, sequence: int) -> str:
        return record_id(self._reader.origin, sequence)

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, 2 * self._report.position)


def is_document(entry: Entry) -> bool:
    """Whether the index holds a document of the entry."""
    return not entry.is_removed and entry.received.kind is not EntryKind.CERTIFICATE


def differences(one: IndexedRecord, other: IndexedRecord) -> Iterator[str]:
    """Names of what is not the same in two documents, as JSON sees them."""
    whole = _whole(one)
    if whole is not None and whole == _whole(other):
        return
    for name in ("time", "received"):
        if getattr(one, name) != getattr(other, name):
            yield name
    for part in ("fields", "body"):
        mine, others = getattr(one, part), getattr(other, part)
        for name in sorted(mine.keys() | others.keys()):
            if _as_json(mine.get(name)) != _as_json(others.get(name)):
                yield name if part == "fields" else f"{part}.{name}"


def _whole(record: IndexedRecord) -> bytes | None:
    """All of it, to be compared at once; None where that can't be written so shortly."""
    try:
        return orjson.dumps(
            (record.time, record.received, record.fields, record.body),
            option=orjson.OPT_SORT_KEYS,
        )
    except orjson.JSONEncodeError:  # lone surrogates, integers beyond 64 bits
        return None


def _as_json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def check_index(settings: Settings, progress: Progress | None = None) -> IndexReport:
    """Compare the repository's index, the one that answers, with its journal.

    Raises:
        IncompleteCheck: there is no index, or index or journal can't be read whole.
    """
    paths = DataPaths(settings.data)
    if settings.index.backend == "embedded" and not any(paths.index.glob("*")):
        raise IncompleteCheck(f"{paths.index} holds no index")
    position = paths.position if paths.position.exists() else None
    try:
        with JournalReader(paths.journal, position) as reader:
            index = open_index(settings, paths)
            try:
                options, repeats = projection_options(settings), repeat_options(settings)
                return IndexCheck(index, reader, options, progress, repeats).run()
            finally:
                index.close()
    except IncompleteCheck:
        raise
    except AuditError as error:
        raise IncompleteCheck(f"the index can't be compared: {error}") from error
