"""The stand-alone verifier: alone it is, and of one mind with the first, on good and on bad."""

import ast
import hashlib
import json
import random
import shutil
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IncompleteCheck, IntegrityViolation
from audit.journal.entry import decode
from audit.journal.files import Files
from audit.journal.heads import history_files, parse_history
from audit.journal.note import Checkpoint, VerifierKey
from audit.journal.proof import Proof, prove, prove_growth
from audit.journal.proof_check import check_proof
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.seal import seal_segment
from audit.journal.standalone import VERIFIER_FILE, verifier_source, verify_evidence
from audit.journal.verify import VerifyOptions, verify
from audit.journal.witness_key import Cosigner
from tests.journal import vectors
from tests.journal.faults import Unsynced
from tests.journal.journals import certificate, fill, open_writer, received, signer

SEED = 20_260_203
STANDARD = sys.stdlib_module_names


def second(*arguments: object) -> int:
    return verify_evidence.main([str(argument) for argument in arguments])


def first(journal: Path, *heads: str) -> int:
    try:
        return verify(journal, VerifyOptions(known_heads=heads)).exit_code
    except IncompleteCheck as error:
        return error.exit_code


def _written(root: Path) -> Path:
    """Closed segments, certificates and a tile level above the leaves."""
    with open_writer(root, segment_max_entries=100) as writer:
        writer.append([certificate(n) for n in range(3)])
        for start in range(0, 290, 29):
            writer.append([received(n) for n in range(start, start + 29)])
            writer.publish_head()
    return root / "journal"


def _sealed_and_removed(root: Path) -> Path:
    """The same with one segment sealed, another sealed and with bodies removed by right."""
    journal = _written(root)
    one, two, *_ = [path for _, path in segment_files(journal)]
    seal_segment(Files(Unsynced()), one)
    remover = Remover(journal, RemovalOptions(signer=signer(root)))
    first_of_two = int(two.stem)
    for numbers in ((first_of_two + 1, first_of_two + 2, first_of_two + 40), (first_of_two + 7,)):
        remover.remove(first_of_two, numbers, "the time of keeping is over")
    remover.remove(0, (17,), "by order of a court")
    return journal


KINDS = {"plain": _written, "sealed": _sealed_and_removed}


@pytest.fixture(scope="module", params=KINDS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return KINDS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def journal(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "journal"))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return _written(tmp_path)


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
        timeout=50,
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


def test_a_whole_journal_is_whole_to_both(whole: Path) -> None:
    assert first(whole) == second("journal", whole) == second("journal", whole.parent) == 0


def _files(journal: Path) -> list[Path]:
    return sorted(path for path in journal.rglob("*") if path.is_file())


def test_both_judge_every_flipped_octet_alike(journal: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chance that repeats
    for path in _files(journal):
        octets = path.read_bytes()
        for place in chance.sample(range(len(octets)), min(len(octets), 6)):
            changed = bytearray(octets)
            changed[place] ^= 1 << chance.randrange(8)
            path.chmod(0o600)
            path.write_bytes(changed)
            assert first(journal) == second("journal", journal), (path, place, SEED)
        path.write_bytes(octets)


def test_both_judge_every_cut_alike(journal: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chance that repeats
    for path in _files(journal):
        octets = path.read_bytes()
        for length in [0, *chance.sample(range(1, len(octets)), min(len(octets) - 1, 3))]:
            path.chmod(0o600)
            path.write_bytes(octets[:length])
            assert first(journal) == second("journal", journal), (path, length, SEED)
        path.unlink()
        assert first(journal) == second("journal", journal), (path, "gone")
        path.write_bytes(octets)


def _append(octets: bytes) -> Callable[[Path], None]:
    def change(journal: Path) -> None:
        with max((journal / "segments").iterdir()).open("ab") as end:
            end.write(octets)

    return change


def _swap(journal: Path) -> None:
    one, two, *_ = sorted((journal / "segments").iterdir())
    octets = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(octets)


def _no_middle(journal: Path) -> None:
    middle = sorted((journal / "segments").iterdir())[1]
    middle.unlink()
    (journal / "heads" / f"{middle.stem}.heads").unlink()


def _remove_every_file(journal: Path) -> None:
    for path in _files(journal):
        path.unlink()


def _repeat_an_entry(journal: Path) -> None:
    last = max((journal / "segments").iterdir())
    image = last.read_bytes()
    start = verify_evidence.Segment(last).start
    end = verify_evidence.read_entry(image, start, len(image)).end
    with last.open("ab") as segment:
        segment.write(image[start:end])


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (_append(b"ARRE torn"), 0),
        (_append(b"\0" * 4096), 0),
        (_swap, 4),
        (_no_middle, 4),
        (_repeat_an_entry, 4),
        (lambda journal: (journal / "note.txt").write_text("no part of it"), 0),
        (lambda journal: shutil.rmtree(journal / "tree"), 4),
        (lambda journal: shutil.rmtree(journal / "segments"), 4),
        (_remove_every_file, 4),
    ],
    ids=[
        "torn",
        "zeros",
        "swap",
        "no-middle",
        "repeat",
        "stray",
        "no-tree",
        "no-segments",
        "bare",
    ],
)
def test_both_judge_larger_changes_alike(
    journal: Path, change: Callable[[Path], object], outcome: int
) -> None:
    change(journal)
    assert (first(journal), second("journal", journal)) == (outcome, outcome)


def test_a_writer_at_work_is_no_violation(tmp_path: Path) -> None:
    stop = threading.Event()
    with open_writer(tmp_path, segment_max_entries=25) as writer:

        def write() -> None:
            number = 0
            while not stop.is_set():
                writer.append([received(number + n) for n in range(7)])
                number += 7
                writer.publish_head()

        thread = threading.Thread(target=write)
        thread.start()
        try:
            outcomes = {second("journal", tmp_path) for _ in range(25)}
        finally:
            stop.set()
            thread.join(20)
    assert outcomes == {0}


def test_what_is_not_there_was_not_checked(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("none", "empty"):
        assert first(tmp_path / folder) == second("journal", tmp_path / folder) == 5


def test_both_find_a_journal_that_was_rolled_back(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.append([received(n) for n in range(5)])
        writer.publish_head()
        rolled = Path(shutil.copytree(tmp_path / "journal", tmp_path / "rolled"))
        writer.append([received(5)])
    outside = tmp_path / "head.txt"
    note = (tmp_path / "journal" / "checkpoint").read_text()
    outside.write_text(note)
    assert first(rolled) == second("journal", rolled) == 0
    assert first(rolled, note) == second("journal", rolled, "--checkpoint", outside) == 4
    whole = tmp_path / "journal"
    assert first(whole, note) == second("journal", whole, "--checkpoint", outside) == 0


def test_both_find_a_forged_entry_whose_checksum_and_tree_were_forged_too(tmp_path: Path) -> None:
    fill(tmp_path, 20)
    journal = tmp_path / "journal"
    ((_, path),) = segment_files(journal)
    octets = bytearray(path.read_bytes())
    start = verify_evidence.Segment(path).start
    read = verify_evidence.read_entry(bytes(octets), start, len(octets))
    octets[read.end - 1] ^= 1
    content = octets[start : start + 16] + octets[start + 20 : read.end]
    octets[start + 16 : start + 20] = zlib.crc32(content).to_bytes(4)
    path.write_bytes(octets)
    forged = verify_evidence.read_entry(bytes(octets), start, len(octets))
    leaves = journal / "tree" / "0" / "000000000"
    leaves.write_bytes(forged.leaf + leaves.read_bytes()[32:])
    assert first(journal) == second("journal", journal) == 4


def test_a_key_that_is_not_trusted(whole: Path) -> None:
    assert second("journal", whole, "--key", vectors.SIGNER.verifier.text) == 4
    own = (whole / "identity").read_text().split("\n")[3].split(" ")[2]
    assert second("journal", whole, "--key", own) == 0


def _recode(path: Path, encoding: int) -> None:
    octets = bytearray(path.read_bytes())
    (length,) = struct.unpack_from(">I", octets, 12)
    octets[9] = encoding
    octets[length - 4 : length] = zlib.crc32(octets[: length - 4]).to_bytes(4)
    path.chmod(0o600)
    path.write_bytes(octets)


@pytest.mark.parametrize("number", [0, 1, -1])
def test_an_encoding_that_it_does_not_know_is_not_checked_and_all_else_is(
    plain: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    path = sorted((plain / "segments").iterdir())[number]
    _recode(path, 0x7F)
    assert second("journal", plain) == 5
    said = capsys.readouterr().out
    assert f"{path.name}: encoding 127" in said
    assert "all else is intact: 293 entries in 3 segments" in said
    other = sorted((plain / "segments").iterdir())[number - 1]
    octets = bytearray(other.read_bytes())
    octets[-400] ^= 1
    other.write_bytes(octets)
    assert second("journal", plain) == 4


def test_without_its_package_a_compressed_segment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = _sealed_and_removed(tmp_path)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert second("journal", journal) == 5
    said = capsys.readouterr().out
    assert "00000000000000000000.segment is compressed; install the package zstandard" in said


def _without_a_statement(journal: Path) -> None:
    max((journal / "removals").iterdir()).unlink()


def _without_the_first_statement(journal: Path) -> None:
    min((journal / "removals").iterdir()).unlink()


def _statement_twice(journal: Path) -> None:
    last = max((journal / "removals").iterdir())
    shutil.copy(last, last.with_name("000000003.removal"))


def _statement_of_another(journal: Path) -> None:
    last = max((journal / "removals").iterdir())
    text = last.read_text().rpartition("\n\n")[0] + "\n"
    last.write_text(vectors.SIGNER.sign(text))


@pytest.mark.parametrize(
    "change",
    [
        _without_a_statement,
        _without_the_first_statement,
        _statement_twice,
        _statement_of_another,
    ],
)
def test_both_want_a_statement_for_each_body_that_is_gone(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    journal = _sealed_and_removed(tmp_path)
    assert first(journal) == second("journal", journal) == 0
    change(journal)
    assert first(journal) == second("journal", journal) == 4


def test_a_statement_that_is_not_carried_out_yet_is_fine_to_both(
    tmp_path: Path, plain: Path
) -> None:
    start, path = segment_files(plain)[1]
    before = path.read_bytes()
    remover = Remover(plain, RemovalOptions(signer=signer(tmp_path)))
    remover.remove(start, (start + 1, start + 2), "the time of keeping is over")
    assert path.read_bytes() != before
    path.write_bytes(before)
    assert first(plain) == second("journal", plain) == 0


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> "Evidence":
    return Evidence(tmp_path_factory.mktemp("evidence"))


class Evidence:
    """Proofs of one log, with and without a witness."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records = fill(root, 300, batch=7, head_every=1)
        self.journal = root / "journal"
        with JournalReader(self.journal) as reader:
            self.key = reader.identity.current_key
            self.note = (self.journal / "checkpoint").read_text()
            head = Checkpoint(*verify_evidence.unsigned_head(self.note))
            self.witness = Cosigner("w.example", Ed25519PrivateKey.generate())
            line = self.witness.cosign(head.text, 1_790_000_000)
            self.proof = prove(self.journal, reader, 77, self.note + line.text).text
        history, _ = parse_history(history_files(self.journal)[0][1].read_bytes())
        self.heads = [record.note for record in history]

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


def test_both_accept_a_proof_its_message_and_its_witness(evidence: Evidence) -> None:
    raw = evidence.records[77].raw
    report = check_proof(evidence.proof, raw, [evidence.key], [evidence.witness.verifier])
    assert (report.exit_code, report.facts.sequence) == (0, 77)
    assert report.as_dict()["witnesses"] == {"w.example": "2026-09-21T14:13:20+00:00"}
    proof, message = evidence.file("p", evidence.proof), evidence.file("m", raw)
    key, witness = evidence.key.text, evidence.witness.verifier.text
    given_all = ("--message", message, "--key", key, "--witness", witness)
    assert second("proof", proof, *given_all) == 0
    assert second("proof", proof, "--key", key) == 0


def test_without_a_key_the_first_says_that_nobody_is_known_to_have_signed(
    evidence: Evidence,
) -> None:
    report = check_proof(evidence.proof, None, [])
    assert (report.exit_code, report.signed, report.message_compared) == (5, False, False)


def _judged(text: str, message: bytes, key: VerifierKey, witness: Cosigner) -> int:
    try:
        return check_proof(text, message, [key], [witness.verifier]).exit_code
    except IntegrityViolation as error:
        return error.exit_code


def test_both_refuse_every_changed_proof(evidence: Evidence) -> None:
    raw = evidence.records[77].raw
    message = evidence.file("message", raw)
    chance = random.Random(SEED)  # noqa: S311 - chance that repeats
    octets = evidence.proof.encode()
    options = ("--key", evidence.key.text, "--witness", evidence.witness.verifier.text)
    for place in chance.sample(range(len(octets)), 150):
        changed = bytearray(octets)
        changed[place] ^= 1 << chance.randrange(7)
        text = changed.decode("utf-8", "replace")
        if text == evidence.proof:
            continue
        assert _judged(text, raw, evidence.key, evidence.witness) == 4, (place, SEED)
        file = evidence.file("changed", text)
        assert second("proof", file, "--message", message, *options) == 4, (place, SEED)


def test_both_refuse_another_message_key_or_witness(evidence: Evidence) -> None:
    raw, proof = evidence.records[77].raw, evidence.file("p2", evidence.proof)
    other = Cosigner("other.example", Ed25519PrivateKey.generate())
    key, witness = evidence.key, evidence.witness
    assert _judged(evidence.proof, raw + b".", key, witness) == 4
    assert _judged(evidence.proof, raw, vectors.SIGNER.verifier, witness) == 4
    assert _judged(evidence.proof, raw, key, other) == 4
    message = evidence.file("m2", raw + b".")
    assert second("proof", proof, "--key", key.text, "--message", message) == 4
    assert second("proof", proof, "--key", vectors.SIGNER.verifier.text) == 4
    assert second("proof", proof, "--key", key.text, "--witness", other.verifier.text) == 4
    with pytest.raises(SystemExit) as usage:
        second("proof", proof, "--key", "no key")
    assert usage.value.code == 2


def test_both_refuse_an_envelope_that_names_another_place(evidence: Evidence) -> None:
    envelope = vectors.entries()["truncated"].envelope
    head = Checkpoint(vectors.SIGNER.name, 1, verify_evidence.leaf_hash(envelope))
    text = Proof(0, (), vectors.SIGNER.sign(head.text), envelope).text
    key = vectors.SIGNER.verifier
    with pytest.raises(IntegrityViolation, match="record 2"):
        check_proof(text, None, [key])
    assert second("proof", evidence.file("elsewhere", text), "--key", key.text) == 4


def test_both_follow_the_growth_between_any_two_heads(evidence: Evidence) -> None:
    for number, old in enumerate(evidence.heads[::6]):
        for new in evidence.heads[number * 6 :: 9]:
            old_head = Checkpoint(*verify_evidence.unsigned_head(old))
            made = prove_growth(evidence.journal, [evidence.key], old_head.size, new)
            made.check(old_head, [evidence.key])
            files = evidence.file("growth", made.text), evidence.file("old", old)
            told = ("consistency", files[0], "--old", files[1], "--key", evidence.key.text)
            assert second(*told) == 0
            if made.path:
                lines = made.text.split("\n")
                lines[1] = (
                    lines[2] if len(made.path) > 1 and lines[1] != lines[2] else "A" * 43 + "="
                )
                evidence.file("growth", "\n".join(lines))
                assert second(*told) == 4
