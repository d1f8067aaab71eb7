"""How often a property is tried: seldom in the short form, and often in the long one."""

import os
from typing import Any

from hypothesis import settings

LONG = bool(os.environ.get("ARR_LONG"))
_TIMES_LONG = 50


def examples(short: int, **more: Any) -> settings:
    """Settings for a property that needs another number of examples than the profile has."""
    return settings(max_examples=short * _TIMES_LONG if LONG else short, **more)
