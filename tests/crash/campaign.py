"""What the campaigns share: short in ``make test``, full with ``ARR_LONG=1``, one printed seed.

Figures and seeds are printed, and added to the file that ``ARR_FIGURES`` names.
"""

import os
import random
import sys
from pathlib import Path

import pytest

LONG = os.environ.get("ARR_LONG") == "1"
TIMEOUT = pytest.mark.timeout(7200 if LONG or "ARR_KILLS" in os.environ else 300)


def size(short: int, full: int) -> int:
    """How many, by the form that runs."""
    return full if LONG else short


def count(name: str, short: int, full: int) -> int:
    """As ``size``, unless the environment variable of that name tells another number."""
    return int(os.environ.get(name) or size(short, full))


def seeded(name: str) -> random.Random:
    """A generator whose seed is printed; ``ARR_SEED`` repeats a run."""
    seed = int(os.environ.get("ARR_SEED") or random.SystemRandom().randrange(2**32))
    _tell(f"{name}: ARR_SEED={seed}\n")
    return random.Random(seed)  # noqa: S311 — repeatable by its seed


def report(capsys: pytest.CaptureFixture[str], name: str, **figures: float) -> None:
    """Print the campaign's figures also when the test passes."""
    with capsys.disabled():
        told = ", ".join(f"{key} {value:g}" for key, value in figures.items())
        sys.stdout.write("\n")
        _tell(f"{name}: {told}\n")


def _tell(line: str) -> None:
    """Print, and add to the file that gathers what several test processes have to say."""
    sys.stdout.write(line)
    gathered = os.environ.get("ARR_FIGURES")
    if gathered:
        with Path(gathered).open("a", encoding="utf-8") as stream:
            stream.write(line)
