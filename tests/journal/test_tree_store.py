"""audit.journal.tree_store"""

from pathlib import Path

import pytest

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.files import Files
from audit.journal.merkle import Tree, hash_leaf, range_root
from audit.journal.tree_store import TreeReader, TreeWriter
from tests.journal.test_merkle import naive_root

LEAVES = [hash_leaf(n.to_bytes(4)) for n in range(600)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "HASHES_PER_CHUNK", 256)


def write(root: Path, leaves: list[bytes], flush_every: int) -> None:
    (root / "tree").mkdir()
    tree, writer = Tree(), TreeWriter(root, Files(), 0)
    for number, leaf in enumerate(leaves, 1):
        writer.add(leaf, tree.append(leaf))
        if number % flush_every == 0:
            writer.flush_durably()
    writer.flush_durably()


@pytest.mark.parametrize("flush_every", [1, 100, 1000])
def test_nodes_lead_to_the_root(tmp_path: Path, flush_every: int) -> None:
    write(tmp_path, LEAVES, flush_every)
    reader = TreeReader(tmp_path)
    for size in (1, 255, 256, 257, 512, 600):
        assert range_root(reader.node, 0, size) == naive_root(LEAVES[:size])
    assert reader.count(0) == 600
    assert reader.count(1) == 2
    assert reader.count(2) == 0


def test_tiles_are_those_of_the_standard(tmp_path: Path) -> None:
    write(tmp_path, LEAVES, 7)
    reader = TreeReader(tmp_path)
    assert reader.tile(0, 1) == b"".join(LEAVES[256:512])
    assert reader.tile(0, 2, 88) == b"".join(LEAVES[512:])
    assert reader.tile(1, 0, 2) == naive_root(LEAVES[:256]) + naive_root(LEAVES[256:512])


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, LEAVES, 7)
    reader = TreeReader(tmp_path)
    for level, start, count in ((0, 600, 1), (0, 599, 2), (1, 2, 1), (2, 0, 1)):
        with pytest.raises(IntegrityViolation, match="missing"):
            reader.hashes(level, start, count)


def test_a_lost_tail_is_cut_at_every_level(tmp_path: Path) -> None:
    write(tmp_path, LEAVES, 1000)
    (tmp_path / "tree" / "0" / "other").write_bytes(b"")
    TreeWriter(tmp_path, Files(), 0).cut_beyond(300)
    reader = TreeReader(tmp_path)
    assert reader.hashes(0, 0, 300) == b"".join(LEAVES[:300])
    assert (tmp_path / layout.chunk_name(0, 2)).stat().st_size == 0
    assert reader.count(1) == 1
