"""audit.journal.layout"""

import pytest

from audit.journal import layout


def test_names_sort_as_their_sequences_do() -> None:
    firsts = [0, 9, 10, 65_536, 2**63, 2**64 - 1]
    names = [layout.segment_name(first) for first in firsts]
    assert names == sorted(names)
    assert [layout.first_sequence(name) for name in names] == firsts
    assert layout.first_sequence(layout.heads_name(12)) == 12


@pytest.mark.parametrize(
    "name",
    [
        "1.segment",
        "0000000000000000000x.segment",
        "00000000000000000000",
        "00000000000000000000.tmp",
        "99999999999999999999.segment",
        "\u0660" * 20 + ".segment",
    ],
)
def test_other_names_are_no_segments(name: str) -> None:
    assert layout.first_sequence(name) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("k3f9x2ab", True), ("abc", False), ("a" * 17, False), ("Abcd", False), ("abcd\n", False)],
)
def test_origin(text: str, *, expected: bool) -> None:
    assert layout.is_origin(text) is expected


@pytest.mark.parametrize(
    ("tile", "width", "path"),
    [
        (1_234_067, 256, "tile/0/x001/x234/067"),
        (0, 256, "tile/0/000"),
        (999, 5, "tile/0/999.p/5"),
        (1000, 256, "tile/0/x001/000"),
    ],
)
def test_tile_paths_of_the_standard(tile: int, width: int, path: str) -> None:
    assert layout.tile_path(0, tile, width) == path


def test_chunk_numbers() -> None:
    assert layout.chunk_number(layout.chunk_name(0, 7).rpartition("/")[2]) == 7
    assert layout.chunk_number("7") is None
    assert layout.chunk_number("00000000x") is None
