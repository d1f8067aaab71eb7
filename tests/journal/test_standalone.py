"""The stand-alone verifier: alone it is, and of one mind with the first on what it reads."""

import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IntegrityViolation
from audit.journal.entry import decode
from audit.journal.standalone import VERIFIER_FILE, verifier_source, verify_evidence
from tests.journal import vectors
from tests.journal.two_verifiers import plain

__all__ = ["plain"]
STANDARD = sys.stdlib_module_names


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(verifier_source())
    names = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    top = {name.partition(".")[0] for name in names}
    assert top - STANDARD <= {"zstandard", "cryptography"}
    assert "audit" not in top


def test_it_runs_alone_outside_of_the_package(plain: Path, tmp_path: Path) -> None:
    alone = tmp_path / VERIFIER_FILE
    alone.write_bytes(verifier_source())
    done = subprocess.run(
        [sys.executable, "-I", "-S", alone, "journal", plain],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("INTACT: 293 entries in 3 segments")


@given(st.binary(max_size=80), st.binary(min_size=32, max_size=32))
def test_its_signatures_are_those_of_another_implementation(message: bytes, seed: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    signature = key.sign(message)
    assert verify_evidence.ed25519_accepts(public, signature, message)
    assert not verify_evidence.ed25519_accepts(public, signature, message + b".")


@pytest.mark.parametrize("place", range(0, 64, 3))
def test_it_refuses_a_changed_signature_as_the_other_does(place: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    signature = bytearray(key.sign(b"text"))
    signature[place] ^= 1 << place % 8
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(signature), b"text")
    assert not verify_evidence.ed25519_accepts(public, bytes(signature), b"text")


def test_it_refuses_what_only_looks_like_a_signature() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"text")
    accepts = verify_evidence.ed25519_accepts
    larger = int.from_bytes(signature[32:], "little") + verify_evidence.ORDER
    assert not accepts(public, signature[:32] + larger.to_bytes(32, "little"), b"text")
    assert not accepts(public, signature[:63], b"text")
    assert not accepts(b"\xff" * 32, signature, b"text")
    assert not accepts((2).to_bytes(32, "little"), signature, b"text")


def test_both_read_the_vectors_alike() -> None:
    tree = verify_evidence.Tree()
    for path in sorted(vectors.FOLDER.glob("entry-*.bin")):
        octets = path.read_bytes()
        entry, end = decode(octets)
        read = verify_evidence.read_entry(octets, 0, len(octets))
        assert (read.leaf, read.end) == (entry.leaf_hash, end)
        assert (read.sequence, read.received_at) == (entry.sequence, entry.received.received_at)
        assert read.certificate == entry.received.certificate_sha256
    segment = verify_evidence.Segment(vectors.FOLDER / "segment-closed.bin")
    image = segment.image({})
    offsets, times, place = [], [], segment.start
    while image[place : place + 4] == b"ARRE":
        read = verify_evidence.read_entry(image, place, len(image))
        offsets.append(place)
        times.append(read.received_at)
        tree.append(read.leaf)
        place = read.end
    assert image[place:] == verify_evidence.foot(offsets, times, tree.root())
    note = (vectors.FOLDER / "checkpoint.txt").read_text()
    key = verify_evidence.read_key(vectors.SIGNER.verifier.text)
    assert verify_evidence.signed_head(note, [key]) == (vectors.SIGNER.name, 5, tree.root())
    second_head = verify_evidence.Segment(vectors.FOLDER / "segment-second-head.bin")
    assert second_head.peaks == tree.peaks
    assert second_head.certificates == [(bytes(range(32)), 1)]


@pytest.mark.parametrize(
    "path", sorted(vectors.FOLDER.glob("segment-*.bin")), ids=lambda p: p.stem
)
def test_it_reads_every_form_of_a_segment_as_the_same_octets(path: Path) -> None:
    if path.stem == "segment-second-head":
        return
    told = json.loads((vectors.FOLDER / "vectors.json").read_bytes())
    master = bytes.fromhex(told.get("master_key", ""))
    key_id = hashlib.sha256(b"arr-journal-key\0" + master).digest()[:8]
    segment = verify_evidence.Segment(path)
    closed = verify_evidence.Segment(vectors.FOLDER / "segment-closed.bin")
    image = segment.image({key_id: master})
    assert image[segment.start :] == closed.octets[closed.start :]
    assert (segment.first, segment.peaks) == (closed.first, closed.peaks)


def test_it_reads_what_is_left_of_a_removed_entry_and_its_statement() -> None:
    octets = (vectors.FOLDER / "removed-entry.bin").read_bytes()
    entry = verify_evidence.read_entry(octets, 0, len(octets))
    whole, _ = decode(octets)
    assert entry.removed
    assert (entry.sequence, entry.leaf, entry.end) == (
        whole.sequence,
        whole.leaf_hash,
        len(octets),
    )
    note = (vectors.FOLDER / "removal.txt").read_text()
    verify_evidence.require_signature(
        note, [verify_evidence.read_key(vectors.SIGNER.verifier.text)]
    )
    text = verify_evidence.split_note(note)[0]
    number = int(text.split("\n")[2].removeprefix("number "))
    removal = verify_evidence.Removal("removal.txt", text, number, vectors.SIGNER.name)
    assert removal.wanted == [entry.sequence]
    assert removal.digest == hashlib.sha256(octets).digest()
    with pytest.raises(verify_evidence.Altered):
        verify_evidence.Removal("removal.txt", text, number + 1, vectors.SIGNER.name)


def test_it_reads_a_seal_and_what_comes_after_it() -> None:
    note = (vectors.FOLDER / "seal.txt").read_text()
    match = verify_evidence.SEAL.fullmatch(verify_evidence.split_note(note)[0])
    assert match is not None
    lines = (vectors.FOLDER / "identity-after.txt").read_text().split("\n")[3:-1]
    keys = [verify_evidence.read_key(line.split(" ")[2]) for line in lines]
    assert [key.text for key in keys] == list(match.group(7, 8))
    for key in keys:
        verify_evidence.require_signature(note, [key])
    assert int(lines[1].split(" ")[1]) == int(match[4]) + 1


@pytest.mark.parametrize("name", [path.name for path in vectors.FOLDER.glob("*entry*.bin")])
def test_both_refuse_every_flipped_bit_of_an_entry(name: str) -> None:
    octets = bytearray((vectors.FOLDER / name).read_bytes())
    for bit in range(0, 8 * len(octets), 5):
        octets[bit // 8] ^= 1 << bit % 8
        with pytest.raises(IntegrityViolation):
            decode(octets)
        with pytest.raises(verify_evidence.Altered):
            verify_evidence.read_entry(bytes(octets), 0, len(octets))
        octets[bit // 8] ^= 1 << bit % 8
