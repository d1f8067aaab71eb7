"""Places: how many long answers may run at once, for one principal and all together."""

from collections import Counter
from collections.abc import Callable
from threading import Lock

from audit.web.errors import TooManyRequests

_COME_BACK_S = 5


class Places:
    """A bounded number of places, a part of them for each key. For any thread."""

    def __init__(self, what: str, *, most: int, most_per_key: int) -> None:
        self._what = what
        self._most = most
        self._most_per_key = most_per_key
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, key: str) -> Callable[[], None]:
        """Take a place; what is returned gives it back, once however often it is called.

        Raises:
            TooManyRequests: none is free for this key.
        """
        with self._lock:
            if self._taken[key] >= self._most_per_key or self._taken.total() >= self._most:
                raise TooManyRequests(f"too many {self._what} run at once", _COME_BACK_S)
            self._taken[key] += 1
        given_back = False

        def give_back() -> None:
            nonlocal given_back
            with self._lock:
                if not given_back:
                    given_back = True
                    self._taken[key] -= 1
                    self._taken += Counter()  # forgets keys that hold none

        return give_back

    @property
    def taken(self) -> int:
        """How many are taken."""
        with self._lock:
            return self._taken.total()
