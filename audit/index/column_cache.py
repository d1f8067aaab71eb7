"""Columns that were read lately, shared by all readers of a process, within a bound of memory."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from audit.index.columns import Integers

Key: TypeAlias = tuple[str, int]
"""identity of the month file, place of the column in it; what it names never changes"""


class ColumnCache:
    """Safe for many threads; the longest unused goes first.

    Args:
        most_octets: memory that columns may take together; a larger one is not kept at all.
    """

    def __init__(self, most_octets: int) -> None:
        self._most_octets = most_octets
        self._octets = 0
        self._lock = Lock()
        self._columns: OrderedDict[Key, Integers] = OrderedDict()

    @property
    def octets(self) -> int:
        """Memory that the columns take."""
        return self._octets

    def column(self, key: Key, load: Callable[[], Integers]) -> Integers:
        """The column, loaded where it isn't there yet."""
        with self._lock:
            found = self._columns.get(key)
            if found is not None:
                self._columns.move_to_end(key)
                return found
        made = load()
        made.flags.writeable = False
        with self._lock:
            self._keep(key, made)
        return made

    def _keep(self, key: Key, made: Integers) -> None:
        if made.nbytes > self._most_octets or key in self._columns:
            return
        self._columns[key] = made
        self._octets += made.nbytes
        while self._octets > self._most_octets:
            self._octets -= self._columns.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._columns.clear()
            self._octets = 0
