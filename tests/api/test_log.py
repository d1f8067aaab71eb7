"""The log over HTTP, in the layout of C2SP tlog-tiles."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from audit.api.access import Doorkeeper
from audit.api.log import PublishedLog, create_log_routes
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.merkle import hash_leaf
from audit.journal.note import open_note, parse_checkpoint
from audit.journal.tree_store import TreeReader
from audit.query.access import Scope
from audit.state.grants import Grants
from audit.web.application import create_app
from audit.web.options import WebOptions
from tests.journal.go_checker import go_checker
from tests.web.stack import Stack, stack

COUNT = 600
WHOLE = (Scope.JOURNAL_READ, Scope.EVENTS_RAW, Scope.AUDIT_READ)
"""What it takes to see every envelope."""

WEB = WebOptions(https=False, allowed_hosts=("testserver",), requests_per_s=10_000)


@dataclass
class Faced:
    """A repository, the folder of its journal, and the log's face."""

    stack: Stack
    folder: Path
    cosigned: CosignedHeads

    def client(self, *scopes: str, witnessed: bool = False) -> TestClient:
        published = PublishedLog(
            self.folder / "journal", self.stack.reader, self.cosigned if witnessed else None
        )
        routes = create_log_routes(
            published,
            Doorkeeper.of(self.stack.state, WEB),
            self.stack.search.trail,
        )
        headers = {"Authorization": f"Bearer {self.stack.token(*scopes)}"}
        return TestClient(create_app(WEB, [routes]), headers=headers)


@contextmanager
def faced_in(folder: Path) -> Iterator[Faced]:
    with stack(folder) as made:
        for number in range(COUNT):
            made.append(b"<85>1 - host app - - - record %d" % number)
        made.writer.publish_head()
        yield Faced(made, folder, CosignedHeads(folder / "cosigned"))


@pytest.fixture(scope="module")
def faced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faced]:
    with faced_in(tmp_path_factory.mktemp("log")) as made:
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Faced]:
    with faced_in(tmp_path) as made:
        yield made


def test_the_head_is_shown_to_readers_of_the_journal(faced: Faced) -> None:
    answer = faced.client(Scope.JOURNAL_READ).get("/log/checkpoint")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=1"
    key = faced.stack.writer.identity.current_key
    assert parse_checkpoint(open_note(answer.text, [key])).size == COUNT


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/entries/000"])
def test_without_a_token_nothing_is_shown(faced: Faced, path: str) -> None:
    client = faced.client()
    client.headers["Authorization"] = "Bearer wrong"
    assert client.get(f"/log/{path}").status_code == 401


def test_tiles_are_those_of_the_tree(faced: Faced) -> None:
    client = faced.client(Scope.JOURNAL_READ)
    tree = TreeReader(faced.folder / "journal")
    for path, expected in (
        ("0/000", tree.tile(0, 0)),
        ("0/001", tree.tile(0, 1)),
        ("0/002.p/88", tree.tile(0, 2, 88)),
        ("0/002.p/1", tree.tile(0, 2, 1)),
        ("0/000.p/255", tree.tile(0, 0, 255)),
        ("1/000.p/2", tree.tile(1, 0, 2)),
    ):
        answer = client.get(f"/log/tile/{path}")
        assert (answer.status_code, answer.content) == (200, expected), path
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "0/002", "0/002.p/89", "0/002.p/0", "0/002.p/256", "0/002.p/08", "0/003", "0/003.p/1",
        "1/000", "1/000.p/3", "1/001", "2/000", "2/000.p/1", "63/000", "64/000", "00/000", "0/0",
        "0/x000/000", "0/x001/000", "0/000/", "0/000.p/", "-1/000", "entries/003", "a/000", "0",
        "0/" + "x001/" * 30 + "000", "entries/002", "0/%00",
    ],
)  # fmt: skip
def test_what_is_not_published_is_not_found(faced: Faced, path: str) -> None:
    answer = faced.client().get(f"/log/tile/{path}")
    assert answer.status_code == 404, path
    assert answer.headers["content-type"] == "application/problem+json"


def bundle(content: bytes) -> list[bytes]:
    entries = []
    while content:
        length = int.from_bytes(content[:2])
        entries.append(content[2 : 2 + length])
        content = content[2 + length :]
    return entries


def test_bundles_hold_the_envelopes_whose_hashes_the_tiles_hold(faced: Faced) -> None:
    client = faced.client(*WHOLE)
    for path, width in (("000", 256), ("002.p/88", 88), ("001.p/3", 3)):
        envelopes = bundle(client.get(f"/log/tile/entries/{path}").content)
        tile = client.get(f"/log/tile/0/{path}").content
        assert len(envelopes) == width
        assert b"".join(map(hash_leaf, envelopes)) == tile


def test_each_look_at_envelopes_is_journaled_first(faced: Faced) -> None:
    def own() -> list[bytes]:
        entries = faced.stack.reader.iterate(COUNT)
        return [entry.received.raw for entry in entries]

    before = len(own())
    assert faced.client(*WHOLE).get("/log/tile/entries/000").status_code == 200
    for scope in WHOLE:
        fewer = faced.client(*(set(WHOLE) - {scope}))
        assert fewer.get("/log/tile/entries/000").status_code == 403
    looks = own()[before:]
    assert len(looks) == 1 + len(WHOLE)
    assert all(b'csd-code="110101"' in look for look in looks)
    assert all(b'EventOutcomeIndicator="8"' in look for look in looks[1:])
    faced.stack.journal_fails = True
    try:
        assert faced.client(*WHOLE).get("/log/tile/entries/000").status_code == 503
    finally:
        faced.stack.journal_fails = False


def test_with_witnesses_the_head_is_the_one_they_were_shown(own: Faced) -> None:
    client = own.client(witnessed=True)
    newest = client.get("/log/checkpoint").text
    assert parse_checkpoint(newest.partition("\n\n")[0] + "\n").size == COUNT
    kept = (own.folder / "journal" / "checkpoint").read_text()
    line = "— w.example AAAAAAAAAAA=\n"
    own.cosigned.keep(kept + line, COUNT, cosigned=True)
    assert client.get("/log/checkpoint").text == kept + line
    own.stack.append(b"<85>1 - host app - - - one more")
    own.stack.writer.publish_head()
    assert client.get("/log/checkpoint").text == kept + line
    assert client.get(f"/log/tile/0/002.p/{COUNT % 256 + 1}").status_code == 404


@pytest.mark.outsider
def test_gos_own_reader_of_tiles_proves_every_record(faced: Faced, tmp_path: Path) -> None:
    client = faced.client()
    note = client.get("/log/checkpoint")
    (tmp_path / "checkpoint").write_bytes(note.content)
    size = parse_checkpoint(note.text.partition("\n\n")[0] + "\n").size
    for level in (0, 1):
        hashes = size >> 8 * level
        for number in range(-(-hashes // 256)):
            width = min(256, hashes - 256 * number)
            name = f"tile/{level}/{number:03d}" + ("" if width == 256 else f".p/{width}")
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get(f"/log/{name}").content)
    key = faced.stack.writer.identity.current_key.text
    checked = subprocess.run(
        [go_checker(), "tiles", key, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (checked.returncode, checked.stdout.strip()) == (0, str(size)), checked.stderr


def test_bundles_are_for_those_who_see_every_record(faced: Faced) -> None:
    grants = Grants(scopes=frozenset(WHOLE), sites=frozenset({"radiology"}))
    secret = faced.stack.state.tokens.create("narrow", "x", grants, 60).secret
    headers = {"Authorization": f"Bearer {secret}"}
    client = faced.client(*WHOLE)
    assert client.get("/log/tile/entries/000").status_code == 200
    assert client.get("/log/tile/entries/000", headers=headers).status_code == 403
    assert client.get("/log/tile/0/000", headers=headers).status_code == 200


def test_a_use_of_head_and_tiles_is_one_record(faced: Faced) -> None:
    def count() -> int:
        return faced.stack.reader.durable_count()

    client, before = faced.client(Scope.JOURNAL_READ), count()
    paths = ("checkpoint", "tile/0/000", "tile/0/001", "tile/1/000.p/2", "checkpoint")
    assert [client.get(f"/log/{path}").status_code for path in paths] == [200] * len(paths)
    assert count() == before + 1
    assert faced.client(Scope.SIEM_READ).get("/log/checkpoint").status_code == 403
    other = faced.client(Scope.JOURNAL_READ)
    faced.stack.journal_fails = True
    try:
        assert other.get("/log/checkpoint").status_code == 503
        assert other.get("/log/tile/0/000").status_code == 503
    finally:
        faced.stack.journal_fails = False
