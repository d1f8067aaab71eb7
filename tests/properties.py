"""How often a property is tried: seldom in the short form, and often in the long one."""

from typing import Any

from hypothesis import settings

from tests.crash.campaign import size

_TIMES_LONG = 50


def examples(short: int, **more: Any) -> settings:
    """Settings for a property that needs another number of examples than the profile has."""
    return settings(max_examples=size(short, short * _TIMES_LONG), **more)
