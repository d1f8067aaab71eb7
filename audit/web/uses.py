"""Uses: which looks belong together, so that a feed leaves one record and not one per poll."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic


class Uses:
    """Remembers uses for a while after they were last seen. Safe to use from several threads.

    Args:
        idle_s: a use not seen for so long has ended.
        most: how many are remembered; the one not seen longest is forgotten first.
        clock: seconds.
    """

    def __init__(
        self, idle_s: float, *, most: int = 10_000, clock: Callable[[], float] = monotonic
    ) -> None:
        self._idle_s = idle_s
        self._most = most
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[str, float] = OrderedDict()

    def goes_on(self, key: str) -> bool:
        """Whether this use was seen a short time ago."""
        with self._lock:
            seen = self._seen.get(key)
            return seen is not None and self._clock() - seen < self._idle_s

    def see(self, key: str) -> None:
        """Note that this use is recorded and goes on."""
        with self._lock:
            self._seen[key] = self._clock()
            self._seen.move_to_end(key)
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)

    def end(self, key: str) -> None:
        """Forget a use."""
        with self._lock:
            self._seen.pop(key, None)
