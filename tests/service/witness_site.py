"""A journal with heads, and witnesses for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import read_checkpoint
from audit.journal.initialise import read_identity
from audit.journal.note import Checkpoint, VerifierKey, parse_checkpoint, split_note
from audit.journal.witness import Witness
from audit.journal.witness_store import WitnessStore
from audit.service.paths import DataPaths
from audit.service.publish_http import HttpOptions
from audit.service.witness import create_witness_app
from audit.service.witness_client import WitnessAddress
from audit.service.witness_rounds import RoundOptions, WitnessRounds
from tests.journal.journals import open_writer, received
from tests.service.http_place import Asked, Reply, http_place

HTTP = HttpOptions(timeout_s=5)
NOW = 1_790_000_000


class Site:
    """A data folder whose journal can grow."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = DataPaths(root)
        self.alarms: list[str] = []
        self.grow(5)

    def grow(self, count: int) -> None:
        with open_writer(self.root) as writer:
            first = writer.durable_count
            writer.append([received(n) for n in range(first, first + count)])

    @property
    def key(self) -> VerifierKey:
        return read_identity(self.paths.journal).current_key

    @property
    def note(self) -> str:
        return read_checkpoint(self.paths.journal)

    @property
    def head(self) -> Checkpoint:
        return parse_checkpoint(split_note(self.note)[0])

    def rounds(
        self, *witnesses: WitnessAddress, publish_to: tuple[str, ...] = ()
    ) -> WitnessRounds:
        options = RoundOptions(
            witnesses=witnesses,
            witness_interval_s=0.02,
            publish_to=publish_to,
            publish_interval_s=0.02,
            http=HTTP,
        )
        return WitnessRounds(self.paths, options, self.alarms.append)

    def shown(self) -> str:
        found = CosignedHeads(self.paths.cosigned).shown((self.key,))
        assert found is not None
        return found[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@contextmanager
def witness_at(
    folder: Path, *logs: VerifierKey, name: str = "w.example"
) -> Iterator[WitnessAddress]:
    """A real witness behind a small server."""
    with WitnessStore(folder) as store:
        witness = Witness(store, store.cosigner(name), logs, lambda: NOW)
        client = TestClient(create_witness_app(witness, 10_000))

        def answer(asked: Asked) -> Reply:
            got = client.request(asked.method, asked.path, content=asked.body)
            headers = {"Content-Type": got.headers["content-type"]}
            return Reply(got.status_code, got.content, headers)

        with http_place(answer) as place:
            yield WitnessAddress(place.url, store.cosigner("").verifier)
