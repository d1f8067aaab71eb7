"""Both verifiers on proofs: of records, and of growth between two heads."""

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import IntegrityViolation
from audit.journal.heads import history_files, parse_history
from audit.journal.note import Checkpoint, VerifierKey
from audit.journal.proof import Proof, prove, prove_growth
from audit.journal.proof_check import check_proof
from audit.journal.reader import JournalReader
from audit.journal.standalone import verify_evidence
from audit.journal.witness_key import Cosigner
from tests.journal import vectors
from tests.journal.journals import fill
from tests.journal.two_verifiers import SEED, second


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
