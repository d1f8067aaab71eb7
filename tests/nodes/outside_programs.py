"""Programs that nobody here wrote; their absence is loud, and a failure where CI is set."""

import os
import shutil
import subprocess

import pytest

TIMEOUT_S = 30


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program)
    if found is None:
        message = f"SKIPPED LOUDLY: {program} (Debian package dcmtk) is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return subprocess.run(
        [found, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
