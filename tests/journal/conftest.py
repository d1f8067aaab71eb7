"""A writer whose system calls can be made to fail, and what a group commit told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.journal.files import Files
from audit.journal.writer import JournalWriter
from tests.journal.faults import FaultyCalls
from tests.journal.journals import open_writer
from tests.journal.outcomes import Outcomes


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture
def calls() -> FaultyCalls:
    return FaultyCalls()


@pytest.fixture
def writer(tmp_path: Path, calls: FaultyCalls) -> Iterator[JournalWriter]:
    with open_writer(tmp_path, Files(calls)) as opened:
        yield opened
