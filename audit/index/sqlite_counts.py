"""Counting in one month file: by columns, by vocabulary, and by records where neither tells."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from typing import Final

import numpy as np

from audit.index import shapes, tokens
from audit.index.columns import Integers
from audit.index.criteria import Criteria, fold
from audit.index.part_columns import PartColumns, shape_facts
from audit.index.port import Span
from audit.index.selection import Selector, is_stretch
from audit.index.sqlite_reader import PartReader, Question
from audit.index.sqlite_statement import flat, statement_of

Facts = dict[str, list[str]]

_NARROW: Final = 65_536
_MOST: Final = (1 << 63) - 1
_WORTH_A_RUN: Final = 256
"""Matches in a bucket from which on it is counted apart; fewer are counted by their own times."""


def asked(criteria: Criteria) -> Question:
    """Criteria with their statement."""
    return Question(criteria, statement_of(criteria))


def facts_of_matches(reader: PartReader, question: Question) -> Iterator[tuple[int, Facts]]:
    """Time and keyword values of every match; for what there is no column of."""
    if not question.statement.exact:
        for record in reader.matching(question):
            yield record.time, {name: list(values) for name, values in record.fields.items()}
        return
    for lane in reader.lanes():
        yield from reader.facts_rows(question.statement, lane)


class Counting:
    """The matches of a question in one month file, to be counted by columns.

    Attributes:
        usable: whether columns tell the matches; else the records must be read.
    """

    def __init__(self, reader: PartReader, question: Question) -> None:
        self._columns = reader.columns()
        self._selector = Selector(reader, self._columns)
        self._criteria = question.criteria
        self.usable = question.statement.exact
        self._at: Integers | slice | None = None

    @property
    def is_quick(self) -> bool:
        """Whether the matches of criteria of shapes and stretches are told without the tokens."""
        told = self._columns.in_order or shapes.answers(self._criteria)
        return self.usable and self._columns.has_shapes and told

    @property
    def at(self) -> Integers | slice:
        """The positions of the matches."""
        if self._at is None:
            self._at = self._selector.select(self._criteria)
        return self._at

    def count(self) -> int:
        """How many match."""
        at = self.at
        return at.stop - at.start if isinstance(at, slice) else at.size

    def runs(self, span: Span) -> Iterator[tuple[int, slice]] | None:
        """Bucket after bucket, its number and which of the matches lie in it.

        None where the matches are not in the order of time, or the buckets are too many for that.
        """
        columns, at, count = self._columns, self.at, self.count()
        if not columns.in_order:
            return None
        if count == 0:
            return iter(())
        at = at if isinstance(at, slice) else np.sort(at)
        self._at = at
        ends = (at.start, at.stop - 1) if isinstance(at, slice) else (at[0], at[-1])
        first, last = ((int(columns.times[end]) - span.start) // span.interval for end in ends)
        if (last - first + 1) * _WORTH_A_RUN > count:
            return None
        begins = span.start + span.interval * np.arange(first + 1, last + 1, dtype=np.int64)
        cuts = np.searchsorted(columns.times, begins)
        cuts = cuts - at.start if isinstance(at, slice) else np.searchsorted(at, cuts)
        places = [0, *cuts.tolist(), count]
        return zip(range(first, last + 1), map(slice, places, places[1:]), strict=True)

    def times(self) -> Integers:
        """The time of each match."""
        found: Integers = self._columns.times[self.at]
        return found

    def tells(self, name: str) -> bool:
        """Whether the columns tell the values of a field."""
        if name in shapes.summed_fields():
            return self.usable and self._columns.has_shapes
        return self.usable and self._columns.has(name)

    def ids(self, name: str) -> Integers:
        """Of each match, the number of the set of its values in a field."""
        summed = name in shapes.summed_fields()
        column = self._columns.shape_ids if summed else self._columns.ids(name)
        found: Integers = column[self.at]
        return found

    def values(self, name: str, wanted: Integers) -> dict[int, tuple[str, ...]]:
        """The values in a field that set numbers stand for."""
        if name in shapes.summed_fields():
            return _shape_values(self._columns, name)
        return {0: (), **dict(self._columns.sets(name, wanted))}


def _shape_values(columns: PartColumns, name: str) -> dict[int, tuple[str, ...]]:
    texts = columns.shape_texts.items()
    return {number: tuple(shape_facts(text).get(name, ())) for number, text in texts}


def count(reader: PartReader, question: Question, at_most: int | None) -> int:
    """How many records of the file meet the criteria; stops at ``at_most``."""
    if question.statement.asks_everything:
        return reader.about("records")
    if all(shapes.answers(part) or is_stretch(part) for part in flat(question.criteria)):
        counting = Counting(reader, question)
        if counting.is_quick:
            return counting.count()
    return reader.count(question, at_most)


def facets(
    reader: PartReader, question: Question, fields: Sequence[str]
) -> dict[str, Counter[str]]:
    """How often each folded value of each field stands in a match."""
    counting = Counting(reader, question)
    counted = {name: _by_column(counting, name) for name in fields if counting.tells(name)}
    left = [name for name in fields if name not in counted]
    if question.statement.asks_everything:
        return counted | {name: vocabulary(reader, name) for name in left}
    return counted | (_by_record(reader, question, left) if left else {})


def _counted(numbers: Integers) -> Iterator[tuple[int, int]]:
    """Each number and how often it is there; numbers near each other are counted, not sorted."""
    least = int(numbers.min(initial=_MOST))
    if int(numbers.max(initial=0)) - least < 4 * numbers.size + _NARROW:
        counts = np.bincount(numbers - least)
        filled = np.flatnonzero(counts)
        counts, filled = counts[filled], filled + least
    else:
        filled, counts = np.unique(numbers, return_counts=True)
    return zip(filled.tolist(), counts.tolist(), strict=True)


def _by_column(counting: Counting, name: str) -> Counter[str]:
    counts = np.bincount(counting.ids(name))
    numbers = np.flatnonzero(counts)
    values = counting.values(name, numbers)
    counted: Counter[str] = Counter()
    for number, n in zip(numbers.tolist(), counts[numbers].tolist(), strict=True):
        for value in values[number]:
            counted[value] += n
    return counted


def _by_record(
    reader: PartReader, question: Question, names: Sequence[str]
) -> dict[str, Counter[str]]:
    counted: dict[str, Counter[str]] = {name: Counter() for name in names}
    for _, facts in facts_of_matches(reader, question):
        for name in names:
            counted[name].update({fold(v) for v in facts.get(name, ())})
    return counted


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


def _after(begin: str) -> str:
    return begin[:-1] + chr(ord(begin[-1]) + 1)


def values_beside(
    reader: PartReader,
    question: Question,
    names: tuple[str, str],
    beside: dict[str, set[str]],
) -> None:
    """Add to ``beside``: for each value of the first field those of the second in one record."""
    for groups, others in _pairs(reader, question, names):
        for value in groups if others else ():
            beside.setdefault(value, set()).update(others)


def _pairs(
    reader: PartReader, question: Question, names: tuple[str, str]
) -> Iterable[tuple[Iterable[str], Iterable[str]]]:
    counting = Counting(reader, question)
    if not (counting.tells(names[0]) and counting.tells(names[1])):
        for _, facts in facts_of_matches(reader, question):
            group, other = ({fold(v) for v in facts.get(name, ())} for name in names)
            yield group, other
        return
    first, second = (counting.ids(name).astype(np.int64) for name in names)
    width = int(second.max(initial=0)) + 1
    numbers, others = np.divmod(np.unique(first * width + second), width)
    groups_of = counting.values(names[0], np.unique(numbers))
    others_of = counting.values(names[1], np.unique(others))
    for number, other_number in zip(numbers.tolist(), others.tolist(), strict=True):
        yield groups_of[number], others_of[other_number]


def histogram(
    reader: PartReader, question: Question, span: Span, split: str | None
) -> Iterator[tuple[int, str, int]]:
    """Number of the bucket, value of the split field (empty without), records."""
    counting = Counting(reader, question)
    if counting.usable and (split is None or counting.tells(split)):
        yield from _bars(counting, span, split)
        return
    for time, facts in facts_of_matches(reader, question):
        for value in split_values(facts, split):
            yield (time - span.start) // span.interval, value, 1


def split_values(facts: Facts, split: str | None) -> set[str]:
    """Under what a record is counted; the empty string when it has no value."""
    if split is None:
        return {""}
    return {fold(v) for v in facts.get(split, ())} or {""}


def _bars(counting: Counting, span: Span, split: str | None) -> Iterator[tuple[int, str, int]]:
    runs = counting.runs(span)
    if runs is not None:
        yield from _bars_of_runs(counting, runs, split)
        return
    numbers = (counting.times() - span.start) // span.interval
    if split is None:
        yield from ((number, "", n) for number, n in _counted(numbers))
        return
    ids = counting.ids(split).astype(np.int64)
    width = int(ids.max(initial=0)) + 1
    values = counting.values(split, np.flatnonzero(np.bincount(ids)))
    for pair, n in _counted(numbers * width + ids):
        for value in values[pair % width] or ("",):
            yield pair // width, value, n


def _bars_of_runs(
    counting: Counting, runs: Iterable[tuple[int, slice]], split: str | None
) -> Iterator[tuple[int, str, int]]:
    if split is None:
        yield from ((number, "", run.stop - run.start) for number, run in runs)
        return
    ids = counting.ids(split)
    values = counting.values(split, np.flatnonzero(np.bincount(ids)))
    for number, run in runs:
        for found, n in _counted(ids[run].astype(np.int64)):
            for value in values[found] or ("",):
                yield number, value, n
