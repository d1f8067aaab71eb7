"""The test vectors of schemas/journal: as written, and read by code that shares nothing.

The second reader below is written from docs/journal-format.md with the standard library alone.
"""

import hashlib
import json
import struct
import zlib

import pytest

from audit.journal.entry import decode
from audit.journal.epoch_seal import check_chain, parse_seal
from audit.journal.heads import parse_history
from audit.journal.identity import parse_identity
from audit.journal.master_keys import MasterKeys
from audit.journal.note import open_note, parse_checkpoint, split_note
from audit.journal.removal import signed_removal
from audit.journal.segment import decode_foot, decode_head
from audit.journal.segment_file import SegmentFile
from tests.journal import vectors

TOLD = json.loads((vectors.FOLDER / "vectors.json").read_bytes())


@pytest.mark.parametrize("name", vectors.files())
def test_the_format_is_final(name: str) -> None:
    assert (vectors.FOLDER / name).read_bytes() == vectors.files()[name]


def test_there_are_no_other_files() -> None:
    names = {*vectors.files(), *vectors.OTHER_FORMS}
    assert {path.name for path in vectors.FOLDER.iterdir()} == names


@pytest.mark.parametrize(("name", "encoding"), vectors.OTHER_FORMS.items())
def test_other_forms_hold_the_plain_segment(name: str, encoding: int) -> None:
    plain = vectors.files()["segment-closed.bin"]
    with SegmentFile(vectors.FOLDER / name, MasterKeys([vectors.MASTER])) as octets:
        assert octets.head.encoding == encoding
        assert octets.octets(0, octets.size()) == plain
        assert [placed.entry for placed in octets.scan(octets.entries_start, octets.foot_start())]


def test_what_is_left_of_a_removed_entry_has_its_leaf() -> None:
    entry, _ = decode((vectors.FOLDER / "removed-entry.bin").read_bytes())
    assert entry.is_removed
    assert entry.leaf_hash == vectors.entries()["message"].leaf_hash
    identity = parse_identity((vectors.FOLDER / "identity.txt").read_text())
    removal = signed_removal((vectors.FOLDER / "removal.txt").read_text(), identity)
    left = (vectors.FOLDER / "removed-entry.bin").read_bytes()
    assert removal.digest == hashlib.sha256(left).digest()


def test_a_seal_hands_over_from_one_key_to_the_next() -> None:
    after = parse_identity((vectors.FOLDER / "identity-after.txt").read_text())
    seal = parse_seal((vectors.FOLDER / "seal.txt").read_text())
    check_chain(after, [seal])
    assert [key.verifier for key in after.keys] == [
        vectors.SIGNER.verifier,
        vectors.NEXT.verifier,
    ]
    sealed_head, _ = split_note((vectors.FOLDER / "checkpoint.txt").read_text())
    assert parse_checkpoint(sealed_head) == seal.head


@pytest.mark.parametrize("told", TOLD["entries"], ids=lambda told: str(told["file"]))
def test_entries_are_read_back(told: dict[str, object]) -> None:
    octets = (vectors.FOLDER / str(told["file"])).read_bytes()
    entry, end = decode(octets)
    assert end == len(octets)
    assert entry in vectors.entries().values()
    assert entry.leaf_hash.hex() == told["leaf_hash"]


def strangers_entry(octets: bytes) -> dict[str, object]:
    """An entry read from its description alone."""
    magic, version, form, kind, flags, metadata, body, checksum = struct.unpack(
        ">4sBBBBIII", octets[:20]
    )
    assert (magic, version, form) == (b"ARRE", 1, 0)
    assert len(octets) == 20 + metadata + body
    assert zlib.crc32(octets[:16] + octets[20:]) == checksum
    block = octets[20 : 20 + metadata]
    sequence, at, salt, sent, stored, c, n, p, a = struct.unpack(">QQ16sQIBBHH", block[:50])
    assert stored == body
    raw = octets[20 + metadata :]
    envelope = b"ARRL" + bytes([1, kind, flags]) + block + hashlib.sha256(raw).digest()
    attributes = []
    rest = block[50 + c + n + p :]
    assert len(rest) == a
    while rest:
        tag, length = struct.unpack(">HH", rest[:4])
        attributes.append([tag, rest[4 : 4 + length].hex()])
        rest = rest[4 + length :]
    return {
        "sequence": sequence,
        "kind": kind,
        "flags": flags,
        "received_at": at,
        "salt": salt.hex(),
        "sent_length": sent,
        "certificate_sha256": block[50 : 50 + c].hex(),
        "listener": block[50 + c : 50 + c + n].decode(),
        "peer": block[50 + c + n : 50 + c + n + p].decode(),
        "attributes": attributes,
        "body": raw.hex(),
        "envelope": envelope.hex(),
        "leaf_hash": hashlib.sha256(b"\x00" + envelope).hexdigest(),
    }


@pytest.mark.parametrize("told", TOLD["entries"], ids=lambda told: str(told["file"]))
def test_a_strangers_reader_agrees(told: dict[str, object]) -> None:
    found = strangers_entry((vectors.FOLDER / str(told["file"])).read_bytes())
    assert found == {key: told[key] for key in found}


def test_a_strangers_reader_finds_every_entry_by_the_foot() -> None:
    octets = (vectors.FOLDER / "segment-closed.bin").read_bytes()
    length, magic = struct.unpack(">I4s", octets[-8:])
    foot = octets[-length:]
    assert (magic, foot[:4], foot[4]) == (b"ARRZ", b"ARRF", 1)
    (count,) = struct.unpack(">I", foot[8:12])
    offsets = [*struct.unpack(f">{count}Q", foot[28 : 28 + 8 * count]), len(octets) - length]
    for told, start, end in zip(TOLD["entries"], offsets[:-1], offsets[1:], strict=True):
        assert strangers_entry(octets[start:end])["leaf_hash"] == told["leaf_hash"]
    assert foot[28 + 8 * count : 60 + 8 * count].hex() == TOLD["entries"][-1]["root_after"]
    assert decode_foot(foot).offsets == tuple(offsets[:-1])


def test_heads_and_identity_are_read_back() -> None:
    identity = parse_identity((vectors.FOLDER / "identity.txt").read_text())
    assert identity.current_key.text == TOLD["verifier_key"]
    note = (vectors.FOLDER / "checkpoint.txt").read_text()
    head = parse_checkpoint(open_note(note, [identity.current_key]))
    assert head.root.hex() == TOLD["entries"][-1]["root_after"]
    records, _ = parse_history((vectors.FOLDER / "history.txt").read_bytes())
    assert records[0].note == note
    second = decode_head((vectors.FOLDER / "segment-second-head.bin").read_bytes())
    assert second.tree.root() == head.root
    assert second.certificates == ((bytes(range(32)), 1),)
