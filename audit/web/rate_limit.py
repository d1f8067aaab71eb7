"""Token buckets per principal, and the headers that tell a caller where it stands."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from threading import Lock
from time import monotonic


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may still do.

    Attributes:
        allowed: whether this request may go on.
        burst: bucket size.
        remaining: whole tokens left.
        window_s: time in which an empty bucket fills.
        retry_after_s: time until the next token; 0 when allowed.
    """

    allowed: bool
    burst: int
    remaining: int
    window_s: int
    retry_after_s: int

    def headers(self) -> dict[str, str]:
        """RateLimit-Policy and RateLimit (IETF httpapi draft), with Retry-After when refused."""
        told = {
            "RateLimit-Policy": f'"principal";q={self.burst};w={self.window_s}',
            "RateLimit": f'"principal";r={self.remaining};t={self.retry_after_s}',
        }
        return told if self.allowed else told | {"Retry-After": str(self.retry_after_s)}


class TokenBuckets:
    """One bucket a key; the least recently used key is forgotten beyond ``max_keys``.

    Forgetting fills a bucket again, so ``max_keys`` stands well above the number of principals.
    """

    def __init__(
        self,
        per_s: float,
        burst: int,
        *,
        max_keys: int = 10_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._max_keys = max_keys
        self._clock = clock
        self._lock = Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, key: str) -> Allowance:
        """Take one token from the key's bucket, if there is one."""
        with self._lock:
            now = self._clock()
            tokens, since = self._buckets.pop(key, (float(self._burst), now))
            tokens = min(float(self._burst), tokens + (now - since) * self._per_s)
            allowed = tokens >= 1.0
            if allowed:
                tokens -= 1.0
            self._buckets[key] = (tokens, now)
            if len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
        return Allowance(
            allowed=allowed,
            burst=self._burst,
            remaining=int(tokens),
            window_s=ceil(self._burst / self._per_s),
            retry_after_s=0 if allowed else max(1, ceil((1.0 - tokens) / self._per_s)),
        )
