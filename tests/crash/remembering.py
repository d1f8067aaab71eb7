"""Verifies a journal again and again while one octet or one file of it is altered.

A change can alter only the outcome of the segment whose file, heads or leaf hashes it lies in. So
for each change that segment is checked anew. What such a check finds, ``verify`` tells: so for a
segment's file and the tree, from which no check takes its task, that is enough when it finds the
change. Else all is joined anew by ``verify``; the other segments' outcomes, and whether a key
signed a text, are taken from before, unless anything that they were made from is another now.
A sample of the changes is verified without all that, too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest

from audit.errors import IntegrityViolation
from audit.journal import layout, note, verify_segment
from audit.journal import verify as verify_module
from audit.journal.merkle import HASH_OCTETS
from audit.journal.recovery import segment_files
from audit.journal.verify_segment import OnOctets, SegmentOutcome, SegmentTask


class Remembering:
    """Stands for the check of a segment: gives what it found before, unless told otherwise."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._firsts = [first for first, _ in segment_files(journal)]
        self._outcomes: dict[int, tuple[SegmentTask, SegmentOutcome]] = {}
        self._concerned: Callable[[int], bool] = lambda _: True

    def __call__(self, task: SegmentTask, on_octets: OnOctets | None = None) -> SegmentOutcome:
        known = self._outcomes.get(task.first)
        if known is not None and not self._concerned(task.first) and known[0] == task:
            return known[1]
        outcome = verify_segment.check_segment(task, on_octets)
        if known is None:
            self._outcomes[task.first] = (task, outcome)
        return outcome

    def found(self, path: Path, offset: int) -> bool:
        """Whether it is found that the octet there is another, or that the file ends there."""
        first = self._first_concerned(path, offset)
        if first is None:
            self._concerned = lambda _: True
        elif path.parent.name == "heads":
            self._concerned = lambda other: other == first
        else:
            task, _ = self._outcomes[first]
            if verify_segment.check_segment(task).findings.violation_count:
                return True
            self._concerned = lambda other: other >= first
        return found_by_all(self._journal)

    def _first_concerned(self, path: Path, offset: int) -> int | None:
        """The segment that a change there concerns, the first of them; None for all."""
        if path.name == "000000000" and path.parent.name == "0":
            leaf = offset // HASH_OCTETS
            return max(one for one in self._firsts if one <= leaf)
        return layout.first_sequence(path.name)


def found_by_all(journal: Path) -> bool:
    """Whether ``verify`` finds anything."""
    return verify_module.verify(journal).exit_code == IntegrityViolation.exit_code


@contextmanager
def remembered(journal: Path) -> Iterator[Remembering]:
    """Until the end ``verify`` of this journal remembers; it is whole at the beginning."""
    accepts = note.VerifierKey.accepts
    with pytest.MonkeyPatch.context() as patched:
        remembering = Remembering(journal)
        patched.setattr(verify_module, "check_segment", remembering)
        patched.setattr(note.VerifierKey, "accepts", lru_cache(maxsize=4096)(accepts))
        verify_module.verify(journal)
        yield remembering
