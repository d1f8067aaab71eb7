"""Giving up a question that nobody waits for any more.

Whoever answers people (the web server) says in ``LEFT`` how to know that they have left;
statements look at it while they run. Without that nothing is given up.
"""

from collections.abc import Callable
from contextvars import ContextVar


def _stays() -> bool:
    return False


LEFT: ContextVar[Callable[[], bool]] = ContextVar("LEFT", default=_stays)
"""Whether whoever asked has left, for all that runs in this context, worker threads included."""

STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine between two looks: well under a millisecond."""


def has_left() -> bool:
    """Whether whoever asked has left."""
    return LEFT.get()()
