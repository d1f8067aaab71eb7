import os
import subprocess
import sys
from pathlib import Path

import pytest

from audit.bench.machine import is_compiled
from tests.needs import missing
from tests.tracing import TRACING

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / ".cache" / "compiled"
EVENTS = 1_500
UNTRACED = {name: value for name, value in os.environ.items() if name != TRACING}
"""Else the sources beside compiled modules would be counted as never reached."""


def projected(*folders: Path) -> list[str]:
    """Which form the modules found first in these folders have, and the digest of all records."""
    path = os.pathsep.join(map(str, folders))
    run = subprocess.run(
        [sys.executable, "-m", "tests.projector.compiled", str(EVENTS)],
        env={**UNTRACED, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


@pytest.mark.slow
def test_compiled_modules_make_the_same_records() -> None:
    if not COMPILED.exists():
        missing("the wheel with compiled modules is not built: tests/provision.sh")
    form, digest = projected(ROOT)
    assert form == "interpreted"
    assert projected(COMPILED, ROOT) == ["compiled", digest]


def test_the_form_that_is_meant_is_tested() -> None:
    assert is_compiled() == ("TESTED_COMPILED" in os.environ)
