"""Which positions of a month file's columns meet criteria.

Shapes and times are told by arithmetic, everything else by tokens.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import TypeGuard

import numpy as np

from audit.index import shapes
from audit.index.columns import Integers, Truth
from audit.index.criteria import And, Criteria, Not, Or, Range
from audit.index.part_columns import PartColumns
from audit.index.row_ids import SECOND
from audit.index.sqlite_reader import PartReader
from audit.index.sqlite_statement import Statement, flat, holds_range, statement_of


class Selector:
    """Finds positions in the columns of one month file; for criteria whose statement is exact."""

    def __init__(self, reader: PartReader, columns: PartColumns) -> None:
        self._reader = reader
        self._columns = columns

    def select(self, criteria: Criteria) -> Integers | slice:
        """The positions that meet the criteria, each once; a slice when all do."""
        parts = flat(criteria)
        by_tokens = [part for part in parts if self._is_positive(part)]
        times = [part for part in parts if is_stretch(part)]
        at: Integers | slice = slice(0, self._columns.size)
        left = [part for part in parts if part not in by_tokens]
        if by_tokens:
            at = self._columns.positions_of(self._rows_of(And((*by_tokens, *times))))
        elif self._columns.in_order:
            left = [part for part in left if part not in times]
            at = self._stretch(times)
        for part in left:
            if isinstance(at, np.ndarray) and at.size == 0:
                break
            if not self._is_met_by_all(part):
                at = self._narrowed(at, self._truth(part, at))
        return at

    def _stretch(self, times: Sequence[Range]) -> slice:
        """The positions in all of these stretches of time; they are in the order of time."""
        start, stop = 0, self._columns.size
        for part in times:
            if part.at_least is not None:
                start = max(start, self._columns.first_at(part.at_least))
            if part.below is not None:
                stop = min(stop, self._columns.first_at(part.below))
        return slice(start, max(start, stop))

    def _is_met_by_all(self, part: Criteria) -> bool:
        columns = self._columns
        return columns.has_shapes and shapes.answers(part) and columns.all_shapes_meet(part)

    def _is_positive(self, part: Criteria) -> bool:
        """Whether few rows may have it, so that asking the tokens first saves work."""
        if isinstance(part, Not) or holds_range(part):
            return False
        return not (self._columns.has_shapes and shapes.answers(part))

    def _narrowed(self, at: Integers | slice, truth: Truth) -> Integers:
        return np.flatnonzero(truth) + at.start if isinstance(at, slice) else at[truth]

    def _truth(self, criteria: Criteria, at: Integers | slice) -> Truth:
        """Of each of the positions, whether it meets the criteria."""
        columns = self._columns
        if columns.has_shapes and shapes.answers(criteria):
            truth: Truth = columns.shape_truth(criteria)[columns.shape_ids[at]]
            return truth
        match criteria:
            case Not(part):
                return ~self._truth(part, at)
            case Range("time", at_least, below):
                return _within(columns.times[at], at_least, below)
            case And(parts) | Or(parts) if holds_range(criteria):
                joined = np.logical_and if isinstance(criteria, And) else np.logical_or
                return self._joined(joined, parts, at)
            case _:
                return self._holding(criteria, at)

    def _joined(
        self, joined: "np.ufunc", parts: Sequence[Criteria], at: Integers | slice
    ) -> Truth:
        truth: Truth = reduce(joined, (self._truth(part, at) for part in parts))
        return truth

    def _holding(self, criteria: Criteria, at: Integers | slice) -> Truth:
        truth = np.zeros(self._columns.rows.size, dtype=np.bool_)
        truth[self._columns.positions_of(self._rows_of(criteria))] = True
        found: Truth = truth[at]
        return found

    def _rows_of(self, criteria: Criteria) -> Integers:
        """The row ids that the statement of these criteria tells; times by whole seconds."""
        statement = _by_seconds(statement_of(criteria))
        texts = [self._reader.row_ids(statement, lane) for lane in self._reader.lanes()]
        found = [np.fromstring(text, dtype=np.int64, sep=",") for text in texts if text]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def is_stretch(part: Criteria) -> TypeGuard[Range]:
    """Whether this is a stretch of time."""
    return isinstance(part, Range) and part.field == "time"


def _within(times: Integers, at_least: int | None, below: int | None) -> Truth:
    truth = np.ones(times.size, dtype=np.bool_)
    if at_least is not None:
        truth &= times >= at_least
    if below is not None:
        truth &= times < below
    return truth


def _by_seconds(statement: Statement) -> Statement:
    """The same with bounds that row ids tell: a little wider."""
    at_least, below = statement.at_least, statement.below
    return replace(
        statement,
        at_least=None if at_least is None else at_least // SECOND * SECOND,
        below=None if below is None else -(-below // SECOND) * SECOND,
    )
