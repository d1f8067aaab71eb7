"""Builds tests/go, a program around Go's packages for checksum databases."""

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.needs import missing, program

SOURCE = Path(__file__).parents[1] / "go"


@cache
def _built(go: str) -> tuple[Path | None, str]:
    folder = tempfile.mkdtemp(prefix="checklog-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = Path(folder) / "checklog"
    done = subprocess.run(
        [go, "build", "-buildvcs=false", "-mod=readonly", "-o", target, "."],
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        timeout=240,
    )
    return (target, "") if done.returncode == 0 else (None, done.stderr.strip())


def go_checker() -> Path:
    """The built program; without Go or its module the test is skipped, or fails with CI=true."""
    built, why = _built(program("go"))
    if built is None:
        missing(f"tests/go can't be built: {why}")
        raise AssertionError(why)
    return built
