"""Counting in one month file: sums by shape, vocabulary, and records where neither tells."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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


class Sums:
    """The sums of a month file, for criteria that shapes can answer."""

    def __init__(self, reader: PartReader, criteria: Criteria) -> None:
        self._reader = reader
        self._rest, self._at_least, self._below = sums.without_time(criteria)
        self.usable = sums.answers(self._rest) and bool(reader.about("sums"))

    def by_shape(self) -> Iterator[tuple[Facts, int]]:
        """Shapes of the matches with their numbers; a shape may come more than once."""
        for _, facts, n in self.by_bucket(_ONE_BUCKET, sums.UNITS):
            yield facts, n

    def by_bucket(self, span: Span, units: tuple[int, ...]) -> Iterator[tuple[int, Facts, int]]:
        """Number of the bucket, shape and records; the buckets are cut at whole ``units``."""
        shapes = self._shapes()
        for stretch in sums.stretches(self._at_least, self._below, units):
            if stretch.unit == 0:
                yield from self._by_record(stretch, span)
                continue
            for start, shape, n in self._rows(stretch, span):
                if shape in shapes:
                    yield start, shapes[shape], n

    def _by_record(self, piece: sums.Stretch, span: Span) -> Iterator[tuple[int, Facts, int]]:
        question = asked(And((self._rest, Range("time", piece.first, piece.end))))
        for time, facts in facts_of_matches(self._reader, question):
            yield (time - span.start) // span.interval, facts, 1

    def _rows(self, stretch: sums.Stretch, span: Span) -> Iterator[tuple[int, int, int]]:
        first = _LONG_AGO if stretch.first is None else stretch.first
        end = -_LONG_AGO if stretch.end is None else stretch.end
        yield from self._reader.connection.execute(
            _SUMS,
            (
                span.start // stretch.unit,
                span.interval // stretch.unit,
                sums.UNITS.index(stretch.unit),
                first,
                end,
            ),
        )

    def _shapes(self) -> dict[int, Facts]:
        rows = self._reader.connection.execute("SELECT shape, facts FROM shapes")
        records = {shape: sums.shape_record(facts) for shape, facts in rows}
        return {
            shape: {name: list(values) for name, values in record.fields.items()}
            for shape, record in records.items()
            if matches(self._rest, record)
        }


_SUMS: Final = """
SELECT (slot - ?1) / ?2 AS bucket, shape, sum(records) FROM sums
WHERE unit = ?3 AND slot >= ?4 AND slot < ?5 GROUP BY bucket, shape
"""
_LONG_AGO: Final = -(1 << 40)
_ONE_BUCKET: Final = Span(start=0, end=0, interval=1 << 62)


def count(reader: PartReader, question: Question, at_most: int | None) -> int:
    """How many records of the file meet the criteria; stops at ``at_most``."""
    kept = Sums(reader, question.criteria)
    if at_most is not None or not kept.usable:
        return reader.count(question, at_most)
    return sum(n for _, n in kept.by_shape())


def facets(
    reader: PartReader, question: Question, fields: Sequence[str]
) -> dict[str, Counter[str]]:
    """How often each folded value of each field stands in a match."""
    counted: dict[str, Counter[str]] = {name: Counter() for name in fields}
    kept = Sums(reader, question.criteria)
    summed = sums.summed_fields() if kept.usable else ()
    by_shape = [name for name in fields if name in summed]
    left = [name for name in fields if name not in summed]
    if by_shape:
        _add_facts(counted, by_shape, kept.by_shape())
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
    rows: Iterable[tuple[Facts, int]],
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
    # Long values with the same head stand in the order of their digests: taken as one run.
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
    kept = Sums(reader, question.criteria)
    units = sums.dividing(span.start, span.interval)
    splits = split is None or split in sums.summed_fields()
    if kept.usable and units and splits:
        for bucket, facts, n in kept.by_bucket(span, units):
            for value in split_values(facts, split):
                yield bucket, value, n
    elif split is None and question.statement.exact:
        for bucket, n in reader.count_buckets(question.statement, span):
            yield bucket, "", n
    else:
        yield from _from_records(reader, question, span, split)


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
