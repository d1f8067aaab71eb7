"""Bounded memories: real traffic repeats the same participants, sources and objects all day.

What is remembered follows from its key alone, so that nobody can tell a remembered answer from a
fresh one. Strangers fill these memories: keys are bounded in size where they are made.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 2048
"""How much a memory keeps unless told otherwise."""


class Remembered(Generic[K, V]):
    """At most so many values by key; those not asked for give way to new ones.

    There are two generations: when the young one has half of all, it becomes the old one, and
    what was old is forgotten. Any number of threads may use it; at worst one forgets too much.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, most: int = REMEMBERED) -> None:
        self._half = max(1, most // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value of the key, None when it isn't known or was forgotten."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Remember the value."""
        if len(self._young) >= self._half:
            self._old = self._young
            self._young = {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())


class PerPart(Generic[K, V]):
    """A function of a part of a message, worked out once for each part that messages share.

    A part is known by its identity: hashing all that it holds would cost more than it saves. The
    memory holds the part, so that no other can take its identity meanwhile.

    Args:
        work: the function; pure.
        most: how many parts are remembered.
    """

    __slots__ = ("_known", "work")

    def __init__(self, work: Callable[[K], V], most: int = REMEMBERED) -> None:
        self.work = work
        self._known: Remembered[int, tuple[K, V]] = Remembered(most)

    def __call__(self, part: K) -> V:
        """What the function gives for the part."""
        known = self._known.get(id(part))
        if known is not None and known[0] is part:
            return known[1]
        worked = self.work(part)
        self._known.put(id(part), (part, worked))
        return worked
