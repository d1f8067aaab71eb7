"""Counting in one month file: sums by shape, vocabulary, and records where neither tells."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile
from typing import Final

from audit.index import sums, tokens
from audit.index.criteria import And, Criteria, Range, fold, matches
from audit.index.port import Span
from audit.index.sqlite_reader import PartReader, Question
from audit.index.sqlite_statement import statement_of

Facts = dict[str, list[str]]


def asked(criteria: Criteria) -> Question:
    """Criteria with their statement."""
    return Question(criteria, statement_of(criteria))


def facts_of_matches(reader: PartReader, question: Question) -> Iterator[tuple[int, Facts]]:
    """Time and keyword values of every match; the cheap way to look at many records."""
    if not question.statement.exact:
        for record in reader.matching(question):
            yield record.time, {name: list(values) for name, values in record.fields.items()}
        return
    for lane in reader.lanes():
        for time, octets in reader.facts_rows(question.statement, lane):
            yield time, reader.codec.facts(octets)[1]


class HourSums:
    """The sums of a month file, for criteria that shapes can answer.

    ``first`` and ``end`` are whole hours since 1970; what the criteria ask before and after them
    is `edges`, to be counted record by record.
    """

    def __init__(self, reader: PartReader, criteria: Criteria) -> None:
        self._reader = reader
        rest, at_least, below = sums.without_time(criteria)
        self._rest = rest
        self.usable = sums.answers(rest) and bool(reader.about("sums"))
        self.first = None if at_least is None else -(-at_least // sums.HOUR)
        self.end = None if below is None else below // sums.HOUR
        self._at_least, self._below = at_least, below

    @property
    def whole(self) -> bool:
        """Whether there is at least one whole hour in the stretch asked for."""
        return self.first is None or self.end is None or self.first < self.end

    def edges(self) -> list[Criteria]:
        """The criteria for what lies beside the whole hours."""
        made: list[Criteria] = []
        if self.first is not None and self._at_least is not None and self._at_least % sums.HOUR:
            made.append(Range("time", self._at_least, self.first * sums.HOUR))
        if self.end is not None and self._below is not None and self._below % sums.HOUR:
            made.append(Range("time", self.end * sums.HOUR, self._below))
        return [And((self._rest, edge)) for edge in made]

    def by_shape(self) -> list[tuple[Facts, int]]:
        """The shapes that meet the criteria, with the records of each in the whole hours."""
        hours, parameters = self._hours()
        rows = self._reader.connection.execute(
            f"SELECT shape, sum(records) FROM sums WHERE {hours} GROUP BY shape", parameters
        )
        shapes = self._shapes()
        return [(shapes[shape], n) for shape, n in rows if shape in shapes and n]

    def by_bucket(self, span: Span) -> Iterator[tuple[int, Facts, int]]:
        """Number of the bucket, shape and records, for a span cut at whole hours."""
        hours, parameters = self._hours()
        rows = self._reader.connection.execute(
            f"SELECT (hour - ?) / ? AS bucket, shape, sum(records) FROM sums WHERE {hours}"
            " GROUP BY bucket, shape",
            (span.start // sums.HOUR, span.interval // sums.HOUR, *parameters),
        )
        shapes = self._shapes()
        for bucket, shape, n in rows:
            if shape in shapes:
                yield bucket, shapes[shape], n

    def _hours(self) -> tuple[str, tuple[int, ...]]:
        first = _LONG_AGO if self.first is None else self.first
        end = -_LONG_AGO if self.end is None else self.end
        return "hour >= ? AND hour < ?", (first, end)

    def _shapes(self) -> dict[int, Facts]:
        rows = self._reader.connection.execute("SELECT shape, facts FROM shapes")
        records = {shape: sums.shape_record(facts) for shape, facts in rows}
        return {
            shape: {name: list(values) for name, values in record.fields.items()}
            for shape, record in records.items()
            if matches(self._rest, record)
        }


_LONG_AGO: Final = -(1 << 40)


def count(reader: PartReader, question: Question, at_most: int | None) -> int:
    """How many records of the file meet the criteria; stops at ``at_most``."""
    if at_most is not None:
        return reader.count(question, at_most)
    hours = HourSums(reader, question.criteria)
    if not hours.usable or not hours.whole:
        return reader.count(question, None)
    middle = sum(n for _, n in hours.by_shape())
    return middle + sum(reader.count(asked(edge), None) for edge in hours.edges())


def facets(
    reader: PartReader, question: Question, fields: Sequence[str]
) -> dict[str, Counter[str]]:
    """How often each folded value of each field stands in a match."""
    counted: dict[str, Counter[str]] = {name: Counter() for name in fields}
    hours = HourSums(reader, question.criteria)
    left = list(fields)
    if hours.usable and hours.whole:
        summed = [name for name in fields if name in sums.summed_fields()]
        left = [name for name in fields if name not in summed]
        _add_facts(counted, summed, hours.by_shape())
        for edge in hours.edges() if summed else []:
            _add_facts(counted, summed, _ones(reader, asked(edge)))
    if question.statement.asks_everything:
        for name in left:
            counted[name] = vocabulary(reader, name)
    elif left:
        _add_facts(counted, left, _ones(reader, question))
    return counted


def _ones(reader: PartReader, question: Question) -> Iterator[tuple[Facts, int]]:
    return ((facts, 1) for _, facts in facts_of_matches(reader, question))


def _add_facts(
    counted: dict[str, Counter[str]],
    names: Sequence[str],
    rows: Iterator[tuple[Facts, int]] | list[tuple[Facts, int]],
) -> None:
    for facts, n in rows:
        for name in names:
            values = facts.get(name)
            if values:
                for value in {fold(v) for v in values}:
                    counted[name][value] += n


def vocabulary(reader: PartReader, name: str) -> Counter[str]:
    """Every folded value of a field in the file, with the number of records that hold it."""
    begin = tokens.field_prefix(name)
    rows = reader.connection.execute(
        "SELECT term, doc FROM temp.vocabulary WHERE term >= ? AND term < ?",
        (begin, _after(begin)),
    )
    return Counter({reader.value_of(term, name): n for term, n in rows})


def values_from(reader: PartReader, name: str, prefix: str, size: int) -> list[str]:
    """The first folded values of a field that begin so, in order."""
    begin, exact = tokens.value_prefix_token(name, prefix)
    rows = reader.connection.execute(
        "SELECT term FROM temp.vocabulary WHERE term >= ? AND term < ?",
        (begin, _after(tokens.field_prefix(name))),
    )
    here = takewhile(lambda term: term.startswith(begin), (term for (term,) in rows))
    wanted = fold(prefix)
    found: list[str] = []
    # Long values with the same head stand in the order of their digests: such a run is taken whole.
    for _, terms in groupby(here, key=lambda term: term.split(tokens.HASHED)[0]):
        run = sorted(reader.value_of(term, name) for term in terms)
        found.extend(value for value in run if exact or value.startswith(wanted))
        if len(found) >= size:
            break
    return found


def values_beside(
    reader: PartReader,
    question: Question,
    names: tuple[str, str],
    beside: dict[str, set[str]],
) -> None:
    """Add to ``beside``: for each value of the first field those of the second in one record."""
    group, distinct = names
    for _, facts in facts_of_matches(reader, question):
        others = [fold(v) for v in facts.get(distinct, ())]
        if others:
            for value in facts.get(group, ()):
                beside.setdefault(fold(value), set()).update(others)


def _after(begin: str) -> str:
    return begin[:-1] + chr(ord(begin[-1]) + 1)


def histogram(
    reader: PartReader, question: Question, span: Span, split: str | None
) -> Iterator[tuple[int, str, int]]:
    """Number of the bucket, value of the split field (empty without), records."""
    hours = HourSums(reader, question.criteria)
    cut_at_hours = span.start % sums.HOUR == 0 and span.interval % sums.HOUR == 0
    if hours.usable and cut_at_hours and (split is None or split in sums.summed_fields()):
        if hours.whole:
            yield from _from_sums(hours, span, split)
        for edge in hours.edges():
            yield from _from_records(reader, asked(edge), span, split)
    elif split is None and question.statement.exact:
        yield from _from_rows(reader, question, span)
    else:
        yield from _from_records(reader, question, span, split)


def _from_sums(hours: HourSums, span: Span, split: str | None) -> Iterator[tuple[int, str, int]]:
    for bucket, facts, n in hours.by_bucket(span):
        for value in split_values(facts, split):
            yield bucket, value, n


def split_values(facts: Facts, split: str | None) -> set[str]:
    """Under what a record is counted; the empty string when it has no value."""
    if split is None:
        return {""}
    return {fold(v) for v in facts.get(split, ())} or {""}


def _from_records(
    reader: PartReader, question: Question, span: Span, split: str | None
) -> Iterator[tuple[int, str, int]]:
    for time, facts in facts_of_matches(reader, question):
        for value in split_values(facts, split):
            yield (time - span.start) // span.interval, value, 1


def _from_rows(
    reader: PartReader, question: Question, span: Span
) -> Iterator[tuple[int, str, int]]:
    """By row ids alone when the buckets are whole seconds."""
    for bucket, n in reader.count_buckets(question.statement, span):
        yield bucket, "", n
