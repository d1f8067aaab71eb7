"""Bounds of ranges as a store of 64-bit integers can take them. Pure."""

from typing import Final

from audit.index.criteria import Range

FIELDS: Final = frozenset({"time", "received", "sequence"})
LEAST: Final = -(1 << 63)
MOST: Final = (1 << 63) - 1


def within_64_bits(asked: Range) -> Range | None:
    """The same range with bounds of 64 bits; None when nothing can lie in it.

    Raises:
        ValueError: the field has no range.
    """
    if asked.field not in FIELDS:
        raise ValueError(f"{asked.field!r} is not a field with a range")
    at_least, below = asked.at_least, asked.below
    if (at_least is not None and at_least > MOST) or (below is not None and below <= LEAST):
        return None
    return Range(
        asked.field,
        None if at_least is None or at_least <= LEAST else at_least,
        None if below is None or below > MOST else below,
    )
