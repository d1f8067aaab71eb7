"""Retention and erasure: which bodies go, and how they go from everything that is kept here.

A record's category and kind are projected anew from the journal, not asked of the index: the
index is a view that may be late, rebuilt or altered. Holds beat everything.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from audit.errors import Denied, JournalUnavailable, NotFound, RequestError
from audit.index.document import IndexedRecord
from audit.journal.entry import Entry, EntryKind
from audit.journal.note import Signer
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.removal import Removal, reason_in_one_line
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.segment_file import SegmentFile
from audit.journal.signing_key import load_signing_key
from audit.projector.jobs import Job, run_jobs
from audit.projector.project import record_id
from audit.record.build import Alert
from audit.service.backends import beside_of, open_reader
from audit.service.backup_list import BackupList, KnownBackup
from audit.service.copies import copies_of
from audit.service.hold_records import is_hold_record
from audit.service.holds import HoldFile, Holds
from audit.service.index_removals import applied_beside_file, applied_count, applied_file
from audit.service.operator import Administration, administering
from audit.service.paths import DataPaths
from audit.service.project import projection_options
from audit.service.receive_options import close_request
from audit.service.retention_policy import Policy, Rule
from audit.settings import Settings

_POLL_S = 0.05
_CLOSE_WAIT_S = 15.0
Progress = Callable[[int, int], None]
"""Told (segments looked at or rewritten, segments in all); what it raises ends the run."""


@dataclass(slots=True)
class SegmentPlan:
    """What is due in one segment."""

    first: int
    due: dict[int, Rule] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """In one line, for the statement."""
        reasons = sorted({rule.reason for rule in self.due.values()})
        return reason_in_one_line("retention: " + "; ".join(reasons))


@dataclass(slots=True)
class Plan:
    """What retention would remove now.

    Attributes:
        segments: with something due, oldest first.
        by_rule: how many records are due, by the rule's name.
        held: how many are due but under a hold, by the hold's id.
    """

    segments: list[SegmentPlan] = field(default_factory=list)
    by_rule: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Records that would go."""
        return sum(self.by_rule.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """How the erasure of one record went.

    Attributes:
        record: its id.
        statement: number of the journal's signed statement, the first if there are several.
        copies: ids of what else was erased, since it held the same octets.
        index_done: whether the search index has forgotten all of it already, and so has the one
            that is filled beside, if any; else they will, as soon as the project process runs.
        backups: backups made by ``arr backup`` that still hold some of it.
    """

    record: str
    statement: int
    copies: tuple[str, ...]
    index_done: bool
    backups: tuple[KnownBackup, ...]


class Planner:
    """Finds what is due; reads only."""

    def __init__(self, settings: Settings, reader: JournalReader, holds: Holds) -> None:
        self._paths = DataPaths(settings.data)
        self._options = projection_options(settings)
        self._reader = reader
        self._holds = holds

    def plan(self, policy: Policy, now: int, progress: Progress | None = None) -> Plan:
        """Everything that is due at ``now`` (UTC nanoseconds) in closed segments.

        Raises:
            AuditError: the journal can't be read, or is damaged.
        """
        plan = Plan()
        files = segment_files(self._paths.journal)
        for number, (first, path) in enumerate(files[:-1]):
            with SegmentFile(path) as octets:
                earliest = octets.foot().earliest
            first_due = policy.first_due(earliest)
            if first_due is not None and first_due <= now:
                self._look(plan, policy, now, (first, files[number + 1][0]))
            if progress is not None:
                progress(number + 1, len(files) - 1)
        return plan

    def spare(self, plan: Plan, segment: SegmentPlan, holds: Holds) -> None:
        """Take out of the plan for a segment what these holds keep and the plan's did not."""
        if holds.all == self._holds.all:
            return
        for sequence, rule in list(segment.due.items()):
            hold = holds.holding(self.record(self._reader.read(sequence)))
            if hold is not None:
                del segment.due[sequence]
                plan.by_rule[rule.name] -= 1
                plan.held[hold.id] += 1

    def record(self, entry: Entry) -> IndexedRecord:
        """The record as the index has it, but for its sender's name."""
        return run_jobs([Job(entry)], self._reader.origin, self._options)[0].record

    def _look(self, plan: Plan, policy: Policy, now: int, span: tuple[int, int]) -> None:
        found = SegmentPlan(span[0])
        for entry in self._reader.iterate(*span):
            due = policy.first_due(entry.received.received_at)
            if not is_removable(entry) or due is None or due > now:
                continue
            self._judge(plan, found, policy, now, entry)
        if found.due:
            plan.segments.append(found)

    def _judge(
        self, plan: Plan, found: SegmentPlan, policy: Policy, now: int, entry: Entry
    ) -> None:
        record = self.record(entry)
        rule = policy.rule_for(record.first("category"), record.first("kind"))
        due = None if rule is None else rule.due_at(entry.received.received_at)
        if rule is None or due is None or due > now:
            return
        hold = self._holds.holding(record)
        if hold is not None:
            plan.held[hold.id] += 1
            return
        plan.by_rule[rule.name] += 1
        found.due[entry.sequence] = rule


def is_removable(entry: Entry) -> bool:
    """Whether there is a message in the entry that may go one day.

    Certificates stay, for they name others' senders; and so do the records of legal holds.
    """
    return (
        not entry.is_removed
        and entry.received.kind is not EntryKind.CERTIFICATE
        and not is_hold_record(entry)
    )


class Retention:
    """Removes what is due or ordered from a running repository; every act is journaled first."""

    def __init__(
        self, settings: Settings, reader: JournalReader, administration: Administration
    ) -> None:
        self._paths = DataPaths(settings.data)
        self._reader = reader
        self._record = administration.record
        self._window_s = settings.index.repeat_window_h * 3600
        self._applied = [applied_file(self._paths)]
        if beside_of(settings) is not None:
            self._applied.append(applied_beside_file(self._paths))
        self._hold_file = HoldFile(self._paths, reader)
        self._planner = Planner(settings, reader, self._hold_file.refresh())
        signer = Signer(reader.identity.name, load_signing_key(self._paths.signing_key))
        self._remover = Remover(
            self._paths.journal,
            RemovalOptions(signer=signer, seal_level=settings.journal.seal_level),
        )

    def run(self, policy: Policy, now: int, progress: Progress | None = None) -> Plan:
        """Remove what is due, after finishing what an earlier run began.

        Raises:
            AuditError: the journal is damaged, busy, or takes no records; what was done before
                stays done.
        """
        with self._remover.locked():
            self._finish()
            plan = self._planner.plan(policy, now, progress)
            for number, segment in enumerate(plan.segments):
                if progress is not None:
                    progress(number, len(plan.segments))
                # A hold may have been laid since the plan was made.
                self._planner.spare(plan, segment, self._hold_file.read())
                if not segment.due:
                    continue
                self._record(
                    f"{len(segment.due)} records of the journal's segment {segment.first} are "
                    f"removed; {segment.reason}",
                    Alert.USE_OF_RESTRICTED_FUNCTION,
                )
                self._remover.remove(segment.first, segment.due.keys(), segment.reason)
        return plan

    def finish(self) -> list[Removal]:
        """Carry out what was stated and then cut off by a crash.

        Raises:
            AuditError: as ``run``.
        """
        with self._remover.locked():
            return self._finish()

    def erase(
        self,
        record: str,
        order: str,
        policy: Policy,
        *,
        before_minimum: bool = False,
        index_wait_s: float = 30.0,
    ) -> Erasure:
        """Erase one record by order, for one of a court, and its copies: what was sent again.

        Args:
            record: its id, or its bare sequence.
            order: who ordered it and why; stands in the statement and the journal.
            policy: whose minimum periods bind, unless ``before_minimum``.
            before_minimum: the order knowingly goes before the minimum.
            index_wait_s: how long to wait for the search index to forget it.

        Raises:
            NotFound: there is no such message, or it is removed already.
            Denied: it or a copy is under a hold, or must be kept still; nothing was erased.
            AuditError: as ``run``.
        """
        sequence = self._sequence(record)
        entry = self._reader.read(sequence)
        if not is_removable(entry):
            raise NotFound(f"{record} holds no message (any more)")
        copies = [
            one
            for one in copies_of(self._reader, sequence, self._window_s)
            if is_removable(self._reader.read(one))
        ]
        for one in copies:
            self._require_free(self._reader.read(one), policy, before_minimum=before_minimum)
        reason = reason_in_one_line(f"order: {order}")
        ids = {one: record_id(self._reader.origin, one) for one in copies}
        others = tuple(ids[one] for one in copies if one != sequence)
        removals = self._erase_all(copies, ", ".join((ids[sequence], *others)), reason)
        newest = max(removal.number for removal in removals)
        return Erasure(
            record=ids[sequence],
            statement=removals[0].number,
            copies=others,
            index_done=_comes_true(lambda: self._index_has_done(newest), index_wait_s),
            backups=BackupList(self._paths).holding(copies[0]),
        )

    def _erase_all(self, sequences: Sequence[int], names: str, reason: str) -> list[Removal]:
        """Remove these records, which rise, segment by segment, once all of them are closed."""
        if sequences[-1] >= segment_files(self._paths.journal)[-1][0]:
            close_request(self._paths).touch()
        self._record(f"Erased: {names}; {reason}", Alert.USE_OF_RESTRICTED_FUNCTION)
        by_segment: dict[int, list[int]] = {}
        for sequence in reversed(sequences):
            by_segment.setdefault(self._closed_segment(sequence), []).append(sequence)
        with self._remover.locked():
            self._finish()
            return [
                self._remover.remove(first, some, reason)
                for first, some in sorted(by_segment.items())
            ]

    def _index_has_done(self, statement: int) -> bool:
        return all(applied_count(file) > statement for file in self._applied)

    def _finish(self) -> list[Removal]:
        return self._remover.finish()

    def _sequence(self, record: str) -> int:
        number = record.removeprefix(f"{self._reader.origin}-")
        if not (number.isascii() and number.isdigit()):
            raise RequestError(f"{record!r} is no record of the journal {self._reader.origin}")
        return int(number)

    def _require_free(self, entry: Entry, policy: Policy, *, before_minimum: bool) -> None:
        record = self._planner.record(entry)
        hold = self._hold_file.read().holding(record)
        if hold is not None:
            raise Denied(f"{record.id} is under {hold.id} (case {hold.case}); release it first")
        rule = policy.rule_for(record.first("category"), record.first("kind"))
        bound = rule is not None and rule.bound_until(record.received) > time.time_ns()
        if rule is not None and bound and not before_minimum:
            raise Denied(
                f"{record.id} must be kept for {rule.minimum} ({rule.legal_basis}); an order that "
                "goes before this is carried out with --before-minimum"
            )

    def _closed_segment(self, sequence: int) -> int:
        """First sequence of the closed segment that holds the entry, once it is closed."""

        def closed() -> Sequence[int]:
            return [first for first, _ in segment_files(self._paths.journal) if first > sequence]

        if not _comes_true(lambda: bool(closed()), _CLOSE_WAIT_S):
            raise JournalUnavailable("the journal's writer did not close its segment; try again")
        firsts = [first for first, _ in segment_files(self._paths.journal)]
        return max(first for first in firsts if first <= sequence)


@contextmanager
def retaining(settings: Settings) -> Iterator[Retention]:
    """Retention of this machine's repository, which must be running.

    Raises:
        JournalUnavailable: nobody takes records, so nothing may be removed.
        ConfigurationError: the signing key or the file of holds can't be used.
    """
    paths = DataPaths(settings.data)
    with administering(settings) as administration, open_reader(paths) as reader:
        yield Retention(settings, reader, administration)


@contextmanager
def planning(settings: Settings) -> Iterator[Planner]:
    """Looks what is due, beside the repository or without it.

    Raises:
        JournalUnavailable: there is no journal.
    """
    paths = DataPaths(settings.data)
    with JournalReader(
        paths.journal, paths.position if paths.position.exists() else None
    ) as reader:
        yield Planner(settings, reader, HoldFile(paths, reader).read())


def _comes_true(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        Event().wait(_POLL_S)
    return True
