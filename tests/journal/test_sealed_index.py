import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IntegrityViolation
from audit.journal.sealed_index import (
    ENTRIES_PER_BLOCK,
    BlockSizes,
    decode_index,
    encode_index,
    index_length,
)
from tests.properties import examples

START = 48
sizes = st.builds(
    BlockSizes,
    st.integers(1, ENTRIES_PER_BLOCK),
    st.integers(1, 1 << 20),
    st.integers(1, 1 << 20),
    st.integers(0, 0xFFFF_FFFF),
)
FOOT = BlockSizes(0, 60, 40, 7)


def _end(blocks: list[BlockSizes]) -> int:
    return START + sum(block.stored_octets for block in blocks)


@examples(20)
@given(st.lists(sizes, max_size=6))
def test_what_is_written_is_read(blocks: list[BlockSizes]) -> None:
    blocks = [*blocks, FOOT]
    octets = encode_index(blocks)
    assert index_length(octets) == len(octets)
    index = decode_index(octets, START, _end(blocks))
    assert [block.sizes for block in index.blocks] == blocks
    assert index.entries == sum(block.entries for block in blocks)
    assert index.image_size == START + sum(block.image_octets for block in blocks)
    assert index.blocks[0].offset == index.blocks[0].image_offset == START


def test_every_flipped_bit_is_found() -> None:
    blocks = [BlockSizes(3, 900, 100, 1), FOOT]
    octets = encode_index(blocks)
    for bit in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(IntegrityViolation):
            decode_index(flipped, START, _end(blocks))


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [BlockSizes(3, 900, 100, 1)],
        [FOOT, FOOT],
        [BlockSizes(ENTRIES_PER_BLOCK + 1, 900, 100, 1), FOOT],
        [BlockSizes(1, 0, 100, 1), FOOT],
        [BlockSizes(1, 0xFFFF_FFFF, 100, 1), FOOT],
    ],
)
def test_impossible_blocks_are_refused(blocks: list[BlockSizes]) -> None:
    with pytest.raises(IntegrityViolation, match="contradicts itself"):
        decode_index(encode_index(blocks), START, _end(blocks))


def test_blocks_that_end_elsewhere_are_refused() -> None:
    with pytest.raises(IntegrityViolation, match="contradicts itself"):
        decode_index(encode_index([FOOT]), START, _end([FOOT]) + 1)


def test_a_wrong_count_of_entries_is_refused() -> None:
    octets = bytearray(encode_index([BlockSizes(3, 900, 100, 1), FOOT]))
    octets[8:12] = struct.pack(">I", 4)
    octets[-12:-8] = struct.pack(">I", crc32(octets[:-12]))
    with pytest.raises(IntegrityViolation):
        decode_index(octets, START, START + 140)


def test_cut_indices_are_refused() -> None:
    octets = encode_index([FOOT])
    for length in range(len(octets)):
        with pytest.raises(IntegrityViolation):
            decode_index(octets[:length], START, _end([FOOT]))
    with pytest.raises(IntegrityViolation, match="cut short"):
        decode_index(b"x" + octets, START, _end([FOOT]))
