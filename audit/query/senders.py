"""Conformance per sender: what each source sent, how good it was, and what it has to mend.

Everything is counted from the index, which is itself rebuilt from the journal: there is no second
store that could disagree with it, be lost at a restart, or count a record twice.

A sender is an AuditSourceID together with the certificate its peer showed and the application that
its syslog header names; each of the three may be missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from audit.index.criteria import And, Criteria, Exists, Not, Range, Term, fold
from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex
from audit.query.answers import IndexLag
from audit.query.broken_rules import BrokenRule, broken_rules
from audit.query.home import NOT_REPEATED, with_findings
from audit.query.view import PrincipalView
from audit.record.times import format_ns, parse_date_time

NS_PER_S = 1_000_000_000

_DIVIDED_BY = ("peer", "app")
_COUNTED = ("tier", "verdict", "dialect", "severity", "finding")
_MOST_VALUES = 1_000
_MOST_LOOKS = 16
_FEW = 8
_MOST_PLACES = 5

Facets = Mapping[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderOptions:
    """Bounds of a report.

    Attributes:
        senders: most senders in it; those with something to mend come first.
        parts: most certificates, and most applications of each, by which one AuditSourceID is
            divided.
        rules: most rules named of one sender, the gravest and commonest.
        examples: records named of each broken rule.
        sample: newest records of each sender that its clock is judged by.
        days: longest period that may be asked for.
    """

    senders: int = 200
    parts: int = 20
    rules: int = 50
    examples: int = 3
    sample: int = 100
    days: int = 3_660


@dataclass(frozen=True, slots=True)
class Period:
    """Times of receipt, UTC nanoseconds: from ``start``, before ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """Time of receipt less time of the event, in seconds: below zero, the clock is ahead.

    What a sender stored before it sent counts as well, so a steady value tells of the clock and a
    scattered one of the delivery.

    Attributes:
        records: how many it was taken from, the newest.
        median_s: half of them are below.
        last_s: of the record received last.
        least_s: smallest.
        greatest_s: largest.
    """

    records: int
    median_s: float
    last_s: float
    least_s: float
    greatest_s: float

    def as_dict(self) -> dict[str, float]:
        """The JSON form."""
        return {
            "records": self.records,
            "median_s": self.median_s,
            "last_s": self.last_s,
            "least_s": self.least_s,
            "greatest_s": self.greatest_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One sender and its records of the period, repeats left out.

    Attributes:
        node: AuditSourceID as sent last; empty when the messages name none.
        peer: SHA-256 of the peer's certificate in hexadecimal; empty without TLS.
        app: APP-NAME as sent last; empty when there is none.
        subject: the certificate's subject; empty when unknown.
        hosts: HOSTNAMEs of its newest records, the newest first.
        addresses: where its newest records came from.
        messages: how many records.
        repeats: byte-identical re-deliveries beside them.
        verdicts: records by verdict.
        tiers: records by tier.
        dialects: records by dialect.
        severities: records by their gravest finding.
        rules: the rules it broke, gravest first.
        clock_skew: None when no record tells the time of its event.
        first_seen: receipt of its first record in the period, UTC nanoseconds.
        last_seen: receipt of its last one.
    """

    node: str
    peer: str
    app: str
    subject: str
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    messages: int
    repeats: int
    verdicts: dict[str, int]
    tiers: dict[str, int]
    dialects: dict[str, int]
    severities: dict[str, int]
    rules: tuple[BrokenRule, ...]
    clock_skew: ClockSkew | None
    first_seen: int
    last_seen: int

    @property
    def unsound(self) -> int:
        """Records that are not valid."""
        return self.messages - self.verdicts.get("valid", 0)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that ``arr report senders --json`` and the API give."""
        skew = self.clock_skew
        return {
            "node": self.node,
            "peer": self.peer,
            "app": self.app,
            "subject": self.subject,
            "hosts": list(self.hosts),
            "addresses": list(self.addresses),
            "messages": self.messages,
            "repeats": self.repeats,
            "verdicts": self.verdicts,
            "tiers": self.tiers,
            "dialects": self.dialects,
            "severities": self.severities,
            "rules": [rule.as_dict() for rule in self.rules],
            "clock_skew": None if skew is None else skew.as_dict(),
            "first_seen": format_ns(self.first_seen),
            "last_seen": format_ns(self.last_seen),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SendersAnswer:
    """The report, and how far the index is behind the journal.

    Attributes:
        period: times of receipt that it covers.
        senders: those with most unsound records first.
        index_lag: durable entries, and how many of them are searchable.
        partial: a part of the index did not answer.
        warnings: what was left out.
    """

    period: Period
    senders: tuple[Sender, ...]
    index_lag: IndexLag
    partial: bool = False
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that ``arr report senders --json`` and the API give."""
        return {
            "from": format_ns(self.period.start),
            "to": format_ns(self.period.end),
            "items": [sender.as_dict() for sender in self.senders],
            "index_lag": self.index_lag.as_dict(),
            "partial": self.partial,
            "warnings": list(self.warnings),
        }


class SenderReporter:
    """Asks the index for one report. Not for two threads at once.

    ``partial`` and ``warnings`` hold what is to be said of it afterwards.
    """

    def __init__(
        self, index: SearchIndex | PrincipalView, period: Period, options: SenderOptions
    ) -> None:
        self._index = index
        self._options = options
        self._within = Range("received", period.start, period.end)
        self.partial = False
        self.warnings: list[str] = []

    def report(self, node: str | None = None) -> tuple[Sender, ...]:
        """Every sender of the period, or those with this AuditSourceID (empty: without one).

        Raises:
            IndexUnavailable: the index can't be asked.
        """
        found: list[Sender] = []
        for name in self._nodes() if node is None else [fold(node)]:
            for key, counts in self._divided(_having("node", name)):
                if len(found) >= self._options.senders:
                    self._warn(f"more than {self._options.senders} senders; the rest is left out")
                    return _sorted(found)
                if sender := self._sender(name, key, counts):
                    found.append(sender)
        return _sorted(found)

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def _nodes(self) -> list[str]:
        """AuditSourceIDs; empty for records without one.

        Of more than are told those with something to mend come first, for which the period is
        read a second time.
        """
        most = self._options.senders + 1
        every = And((self._within, NOT_REPEATED))
        named = self._index.facets(every, ("node",), most)["node"]
        if len(named) >= most:
            faulty = self._index.facets(And((every, with_findings())), ("node",), most)["node"]
            named = (*faulty, *named)
        names = dict.fromkeys(name for name, _ in named)
        nameless = And((every, Not(Exists("node"))))
        return [""] * self._index.count(nameless, at_most=1).value + list(names)

    def _counts(self, criteria: Criteria) -> Facets:
        fields = (*_DIVIDED_BY, *_COUNTED)
        return self._index.facets(self._shown(criteria), fields, _MOST_VALUES)

    def _shown(self, criteria: Criteria) -> Criteria:
        return And((self._within, NOT_REPEATED, criteria))

    def _divided(self, criteria: Criteria) -> Iterator[tuple[Criteria, Facets]]:
        """The criteria, divided by certificate and application, with the counts of each part."""
        parts = [(criteria, self._counts(criteria))]
        for field in _DIVIDED_BY:
            parts = [
                piece for part, counts in parts for piece in self._pieces(part, counts, field)
            ]
        yield from parts

    def _pieces(
        self, criteria: Criteria, counts: Facets, field: str
    ) -> Iterator[tuple[Criteria, Facets]]:
        named = [value for value, _ in counts[field]]
        if sum(n for _, n in counts[field]) < _messages(counts):
            named.append("")
        if len(named) > self._options.parts:
            most = self._options.parts
            self._warn(f"a sender with more than {most} values of {field} is told only in part")
        for value in named[: self._options.parts]:
            piece = And((criteria, _having(field, value)))
            yield piece, counts if len(named) == 1 else self._counts(piece)

    def _sender(self, name: str, key: Criteria, counts: Facets) -> Sender | None:
        shown = self._shown(key)
        newest = self._look(shown, self._options.sample)
        if not newest:
            return None
        latest = max(newest, key=lambda one: one.received)
        by = {field: dict(counts[field]) for field in _COUNTED}
        return Sender(
            node=_as_sent(latest, "node", name),
            peer=latest.first("peer"),
            app=latest.first("app"),
            subject=str(latest.body.get("peer", {}).get("certificate_subject", "")),
            hosts=_places(one.first("host") for one in newest),
            addresses=_places(one.body.get("peer", {}).get("address", "") for one in newest),
            messages=_messages(counts),
            repeats=self._index.count(And((self._within, key, Exists("repeat_of")))).value,
            verdicts=by["verdict"],
            tiers=by["tier"],
            dialects=by["dialect"],
            severities=by["severity"],
            rules=self._rules(shown, counts["finding"], newest),
            clock_skew=clock_skew(newest),
            first_seen=self._first(shown, latest.received),
            last_seen=self._last(shown, latest.received),
        )

    def _rules(
        self,
        shown: Criteria,
        counts: tuple[tuple[str, int], ...],
        newest: tuple[IndexedRecord, ...],
    ) -> tuple[BrokenRule, ...]:
        most = self._options.examples

        def examples(rule: str) -> tuple[IndexedRecord, ...]:
            near = tuple(one for one in newest if rule in one.values("finding"))[:most]
            return near or self._look(And((shown, Term("finding", rule))), most)

        return broken_rules(counts, examples, self._options.rules)

    def _look(
        self, criteria: Criteria, limit: int, *, newest_first: bool = True
    ) -> tuple[IndexedRecord, ...]:
        page = self._index.search(criteria, limit=limit, newest_first=newest_first)
        self.partial = self.partial or page.partial
        for warning in page.warnings:
            self._warn(warning)
        return page.records

    def _last(self, shown: Criteria, last: int) -> int:
        """The latest receipt: records come by time of the event, which may be in another order."""
        for _ in range(_MOST_LOOKS):
            later = self._look(And((shown, Range("received", last + 1, None))), _FEW)
            if not later:
                break
            last = max(one.received for one in later)
        return last

    def _first(self, shown: Criteria, known: int) -> int:
        """The earliest receipt; ``known`` when the records were removed since they were seen."""
        oldest = self._look(shown, _FEW, newest_first=False)
        first = min((one.received for one in oldest), default=known)
        for _ in range(_MOST_LOOKS):
            before = And((shown, Range("received", None, first)))
            earlier = self._look(before, _FEW, newest_first=False)
            if not earlier:
                break
            first = min(one.received for one in earlier)
        return first


def _having(field: str, value: str) -> Criteria:
    """The field has the value; none when that is empty."""
    return Term(field, value) if value else Not(Exists(field))


def _messages(counts: Facets) -> int:
    """Every record has exactly one verdict."""
    return sum(n for _, n in counts["verdict"])


def _as_sent(record: IndexedRecord, field: str, folded: str) -> str:
    return next((value for value in record.values(field) if fold(value) == folded), folded)


def _places(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, values)))[:_MOST_PLACES]


def _sorted(senders: list[Sender]) -> tuple[Sender, ...]:
    def weight(one: Sender) -> tuple[int, int, int, str]:
        return -one.unsound, -one.severities.get("warning", 0), -one.messages, one.node

    return tuple(sorted(senders, key=weight))


def clock_skew(records: tuple[IndexedRecord, ...]) -> ClockSkew | None:
    """How the senders' clock stood by these records; None when none has a time with a zone."""
    by_receipt = sorted(records, key=lambda one: one.received)
    skews = [skew for one in by_receipt if (skew := _skew_of(one)) is not None]
    if not skews:
        return None
    return ClockSkew(
        records=len(skews),
        median_s=round(median(skews), 3),
        last_s=skews[-1],
        least_s=min(skews),
        greatest_s=max(skews),
    )


def _skew_of(record: IndexedRecord) -> float | None:
    sent = parse_date_time(record.body.get("event_time") or "")
    if sent.ns is None or not sent.zone:
        return None
    return round((record.received - sent.ns) / NS_PER_S, 3)
