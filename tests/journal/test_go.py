"""Heads and proofs before packages that nobody here wrote: Go's sumdb/note and sumdb/tlog."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.journal.heads import history_files, parse_history
from audit.journal.note import Checkpoint, parse_checkpoint, split_note
from audit.journal.proof import prove, prove_growth
from audit.journal.reader import JournalReader
from audit.journal.witness_key import Cosigner
from tests.journal import vectors
from tests.journal.go_checker import go_checker
from tests.journal.journals import fill

pytestmark = pytest.mark.outsider


def judged(*arguments: object) -> int:
    done = subprocess.run(
        [go_checker(), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return done.returncode


class Log:
    """A journal, and files of evidence about it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        fill(root, 300, batch=7, head_every=1)
        self.journal = root / "journal"
        history, _ = parse_history(history_files(self.journal)[0][1].read_bytes())
        self.notes = [record.note for record in history]
        with JournalReader(self.journal) as reader:
            self.key = reader.identity.current_key
            self.proofs = [prove(self.journal, reader, n) for n in range(0, 300, 13)]

    def file(self, name: str, text: str) -> Path:
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        return path

    def head(self, note: str) -> Checkpoint:
        return parse_checkpoint(split_note(note)[0])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("go"))


def test_heads_are_accepted_also_with_cosignatures(log: Log) -> None:
    for note in (log.notes[0], log.notes[1], log.notes[-1]):
        assert judged("head", log.key.text, log.file("head", note)) == 0
        line = Cosigner("w.example", Ed25519PrivateKey.generate()).cosign(log.head(note).text, 9)
        assert judged("head", log.key.text, log.file("head", note + line.text)) == 0
        changed = note.replace("\n", "\n1", 1)
        assert judged("head", log.key.text, log.file("head", changed)) == 1
    vector = vectors.FOLDER / "checkpoint.txt"
    assert judged("head", vectors.SIGNER.verifier.text, vector) == 0
    assert judged("head", log.key.text, vector) == 1


def test_inclusion_proofs_are_accepted(log: Log) -> None:
    for proof in log.proofs:
        assert judged("proof", log.key.text, log.file("proof", proof.text)) == 0
    other = log.proofs[3].text.replace("index 39", "index 40")
    assert judged("proof", log.key.text, log.file("proof", other)) == 1


def test_consistency_proofs_are_accepted(log: Log) -> None:
    for old in log.notes[1::5]:
        old_file = log.file("old", old)
        for new in log.notes[log.notes.index(old) :: 7]:
            made = prove_growth(log.journal, [log.key], log.head(old).size, new)
            assert judged("growth", log.key.text, old_file, log.file("growth", made.text)) == 0
    earlier, later = log.notes[5], log.notes[20]
    made = prove_growth(log.journal, [log.key], log.head(earlier).size, later)
    forged = made.text.replace("\n", "\n" + "A" * 43 + "=\n", 1)
    grown = log.file("growth", forged)
    assert judged("growth", log.key.text, log.file("old", earlier), grown) == 1
