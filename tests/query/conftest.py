"""A trail for the tests of the service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.journal.reader import JournalReader
from tests.journal.journals import open_writer
from tests.query.trail import Trail


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    with (
        open_writer(tmp_path) as writer,
        JournalReader(tmp_path / "journal", tmp_path / "run" / "journal.position") as reader,
    ):
        yield Trail(writer, reader)
