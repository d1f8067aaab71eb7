"""A trail, a receiver, and a push from the one to the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.journal.reader import JournalReader
from audit.siem.push import Push
from tests.journal.journals import open_writer
from tests.query.trail import Trail
from tests.siem.push_receiver import Receiver
from tests.siem.pushing import Pushing, push_to


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    with (
        open_writer(tmp_path) as writer,
        JournalReader(tmp_path / "journal", tmp_path / "run" / "journal.position") as reader,
    ):
        yield Trail(writer, reader)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def pushing(trail: Trail, receiver: Receiver, tmp_path: Path) -> Pushing:
    def made(**options: Any) -> Push:
        given: dict[str, Any] = {"confirm_records": 1}
        return push_to(receiver, trail.service().trail, tmp_path / "push", **(given | options))

    return made
