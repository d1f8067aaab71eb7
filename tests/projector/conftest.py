"""A real journal for the tests of the follower."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.journal.reader import JournalReader
from audit.journal.writer import JournalWriter
from tests.journal.journals import open_writer


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[JournalWriter]:
    with open_writer(tmp_path) as opened:
        yield opened


@pytest.fixture
def reader(tmp_path: Path, writer: JournalWriter) -> Iterator[JournalReader]:
    assert writer.durable_count == 0
    with JournalReader(tmp_path / "journal", tmp_path / "run" / "journal.position") as opened:
        yield opened
