"""How a long measurement tells how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


def untold(_what: str, _done: int, _of: int) -> None:
    """Nobody watches."""
