"""What was made of something before, within a bound: found again without a call of Python."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """``memo[key]`` is ``make(key)``, made once while it is remembered.

    Args:
        make: pure.
        most: what is remembered at once; all is forgotten when there would be more.
        keep: whether a value is to be remembered; without it each is.
    """

    def __init__(
        self,
        make: Callable[[Key], Value],
        most: int,
        keep: Callable[[Value], bool] | None = None,
    ) -> None:
        super().__init__()
        self._make = make
        self._most = most
        self._keep = keep

    def __missing__(self, key: Key) -> Value:
        made = self._make(key)
        if self._keep is None or self._keep(made):
            if len(self) >= self._most:
                self.clear()
            self[key] = made
        return made
