"""Reliance: on what a report rests, so that an empty answer is qualified."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.index.criteria import And, Range, Term
from audit.index.port import Span
from audit.query.answers import IndexLag
from audit.query.home import NOT_REPEATED
from audit.query.reports.asked import ReportOptions
from audit.query.reports.gather import Gather
from audit.query.reports.moment import moment
from audit.query.reports.report import Column, Report, Section
from audit.query.senders import clock_skew
from audit.query.view import PrincipalView

NS_PER_S = 1_000_000_000
_NS_PER_DAY = 86_400 * NS_PER_S
_MOST_BUCKETS = 400

SOURCES = (
    Column("source", "Source", 3),
    Column("records", "Records", 1),
    Column("first", "First received", 2),
    Column("last", "Last received", 2),
    Column("longest_silence", "Longest silence", 2),
    Column("clock", "Its clock", 2),
    Column("remark", "Remark", 3),
)
IDENTITIES = (Column("what", "What", 1), Column("value", "Identifier used", 4))


@dataclass(frozen=True, slots=True)
class Source:
    """A sender in the period.

    Attributes:
        name: the node's.
        records: of the period.
        first: when the first of them was received, UTC nanoseconds.
        last: when the last was.
        silence_days: its longest run of days without a record, since it was first heard of.
        skew_s: what its clock is off by; None when that isn't known.
        unknown_before: when it was first heard of, if that was a day or more into the period.
    """

    name: str
    records: int
    first: int | None
    last: int | None
    silence_days: int
    skew_s: float | None
    unknown_before: int | None = None

    def remark(self, options: ReportOptions) -> str:
        """What is to be minded of it."""
        said = self.faults(options)
        if self.unknown_before is not None:
            said.append(f"not heard of before {moment(self.unknown_before)}")
        return "; ".join(said)

    def faults(self, options: ReportOptions) -> list[str]:
        """Silences, and a clock that is off."""
        said = []
        if not self.records:
            said.append("SILENT in the whole period")
        elif self.silence_days >= options.silence_days:
            said.append(f"silent for {self.silence_days} days on end")
        if self.skew_s is not None and abs(self.skew_s) > options.skew_s:
            said.append(f"its times are off by about {abs(self.skew_s):.0f} s")
        return said

    def row(self, options: ReportOptions) -> tuple[str, ...]:
        """As a row of the table."""
        days = self.silence_days
        return (
            self.name,
            str(self.records),
            "" if self.first is None else moment(self.first),
            "" if self.last is None else moment(self.last),
            "the whole period" if not self.records else f"{days} days" if days else "under a day",
            "not known" if self.skew_s is None else f"{self.skew_s:+.1f} s",
            self.remark(options),
        )


class Reliance:
    """Looks at the sources of a period, as far as the asker may see their records.

    Args:
        index: what the asker may see.
        options: bounds.
        start: of the period, UTC nanoseconds.
        end: of the period.
        now: sources can't have been silent beyond it.
    """

    def __init__(
        self, index: PrincipalView, options: ReportOptions, *, start: int, end: int, now: int
    ) -> None:
        self._index = index
        self._options = options
        self._start = start
        self._end = min(end, now)
        self._received = Range("received", start, end)

    def sources(self) -> tuple[Source, ...]:
        """Every source of the period and those known before it, silent ones first."""
        within = And((self._received, NOT_REPEATED))
        counts = dict(self._index.facets(within, ("node",), self._options.sources)["node"])
        before = And((Range("received", None, self._end), NOT_REPEATED))
        known = self._index.facets(before, ("node",), self._options.sources)["node"]
        names = dict.fromkeys([*counts, *(name for name, _ in known)])
        found = [self._source(name, counts.get(name, 0)) for name in names]
        return tuple(sorted(found, key=lambda one: (one.records > 0, one.name)))

    def unreadable(self) -> int:
        """Messages of the period that could not be read, so that nobody knows whom they name."""
        return self._index.count(And((self._received, Term("verdict", "malformed")))).value

    def _source(self, name: str, records: int) -> Source:
        mine = And((self._received, Term("node", name), NOT_REPEATED))
        if not records:
            return Source(name, 0, None, None, self._days(), None)
        newest = self._index.search(mine, limit=self._options.sample).records
        oldest = self._index.search(mine, limit=self._options.sample, newest_first=False).records
        skew = clock_skew(newest)
        received = [one.received for one in (*oldest, *newest)]
        since = self._since(name, received)
        return Source(
            name,
            records,
            min(received, default=None),
            max(received, default=None),
            self._silence(name, since),
            None if skew is None else skew.median_s,
            since if since - self._start >= _NS_PER_DAY else None,
        )

    def _days(self) -> int:
        return max(0, self._end - self._start) // _NS_PER_DAY

    def _since(self, name: str, received: Sequence[int]) -> int:
        """From when on the source was known, by receipt: its own clock may be wrong.

        Never before the begin of the period.
        """
        before = And((Range("received", None, self._start), Term("node", name), NOT_REPEATED))
        earlier = self._index.search(before, limit=1, newest_first=False).records
        if not received or earlier:
            return self._start
        return min(received)

    def _silence(self, name: str, since: int) -> int:
        """The longest run of days without a record since then, by the events' time."""
        width = max(1, -(-self._days() // _MOST_BUCKETS)) * _NS_PER_DAY
        first = since - (since - self._start) % width
        if self._end - first < width:
            return 0
        span = Span(start=first, end=first + (self._end - first) // width * width, interval=width)
        longest = run = 0
        for bucket in self._index.histogram(And((Term("node", name), NOT_REPEATED)), span):
            run = 0 if bucket.total else run + 1
            longest = max(longest, run)
        return longest * width // _NS_PER_DAY


def relied_on(report: Report, reliance: Reliance, gather: Gather, lag: IndexLag) -> Report:
    """The report with tables and sentences on how far it can be relied on.

    Args:
        report: what was found.
        reliance: looks at sources and clocks.
        gather: what was asked of the index, and what was cut.
        lag: how far the index is behind.
    """
    options = gather.options
    sources = reliance.sources()
    identities = [*report.asked, *gather.names.used]
    tables = (
        Section(
            name="identities",
            title="Identities used",
            columns=IDENTITIES,
            rows=tuple(identities),
            note=f"{gather.names.basis} Compared as wholes, case and accents aside.",
        ),
        Section(
            name="sources",
            title="Sources",
            columns=SOURCES,
            rows=tuple(one.row(options) for one in sources),
            note="Who sent audit messages by the time of receipt. What a source did while it was "
            "silent is not in this report.",
            empty="No source is known: nothing was received up to the end of this period.",
        ),
    )
    said = tuple(_sentences(report, sources, reliance.unreadable(), gather, lag))
    partial = report.partial or gather.partial or bool(gather.cut)
    return replace(report, reliance=tables, qualifications=said, partial=partial)


def _sentences(
    report: Report, sources: Sequence[Source], unreadable: int, gather: Gather, lag: IndexLag
) -> list[str]:
    said = []
    if not report.rows:
        said.append(
            "Nothing was found. That means that no source told of it, not that it did not happen."
        )
    said += _of_sources(sources, gather.options)
    if unreadable:
        said.append(
            f"Messages of the period that could not be read, whomever they name: {unreadable}."
        )
    if gather.repeats:
        said.append(f"Byte-identical re-deliveries, not counted: {gather.repeats}.")
    said += [
        f"INCOMPLETE: too many {one}; the newest are told. Ask for a shorter period."
        for one in gather.cut
    ]
    said += [f"INCOMPLETE: {warning}." for warning in gather.warnings]
    if lag.behind:
        said.append(f"INCOMPLETE: journaled but not searchable yet: {lag.behind} newer records.")
    else:
        said.append(f"All {lag.journal_seq} entries of the journal were searchable.")
    return said


def _of_sources(sources: Sequence[Source], options: ReportOptions) -> list[str]:
    if not sources:
        return ["No source is known to have sent anything by then."]
    silent = [one.name for one in sources if not one.records]
    gaps = [one.name for one in sources if one.records and one.faults(options)]
    new = [one for one in sources if one.unknown_before is not None]
    said = []
    if silent:
        said.append(f"Silent in the whole period: {', '.join(silent)}.")
    if gaps:
        said.append(f"With gaps, or with a clock that is off: {', '.join(gaps)}.")
    if not silent and not gaps:
        since = " since it was first heard of" if new else ""
        said.append(
            f"Every known source sent records on every day{since}, with a clock that is right."
        )
    if new:
        named = ", ".join(f"{one.name} ({moment(one.unknown_before or 0)})" for one in new)
        said.append(f"Nothing is known of the time before a source was first heard of: {named}.")
    if len(sources) >= options.sources:
        said.append(f"Only the {options.sources} busiest sources were looked at.")
    return said
