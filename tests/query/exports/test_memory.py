"""Exports of any size in constant memory: a few thousand records, a million with ARR_LONG=1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audit.journal.standalone import verify_evidence

LONG = bool(os.environ.get("ARR_LONG"))
COUNT = 1_000_000 if LONG else 1_500
MOST_MIB = 100 if LONG else 40


@pytest.mark.timeout(7_200 if LONG else 300)
def test_memory_does_not_grow_with_the_export(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.query.exports.growth", str(tmp_path), str(COUNT)]
    root = Path(__file__).parents[3]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert run.returncode == 0, run.stderr[-4_000:]
    figures = json.loads(run.stdout.splitlines()[-1])
    key = figures.pop("key")
    for form, told in figures.items():
        assert told["records"] >= COUNT, (form, told)
        assert told["growth_mib"] < MOST_MIB, (form, told)
    assert verify_evidence.main(["bundle", str(tmp_path / "export.evidence"), "--key", key]) == 0
