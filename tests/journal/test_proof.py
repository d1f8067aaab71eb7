"""audit.journal.proof"""

import base64
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from audit.errors import IntegrityViolation, NotFound
from audit.journal.heads import history_files, parse_history
from audit.journal.merkle import is_consistent
from audit.journal.proof import PROOF_FORMAT, parse_proof, prove, prove_consistency
from audit.journal.reader import JournalReader
from tests.journal.journals import fill, open_writer, received


def test_every_entry_is_proved_to_a_stranger(tmp_path: Path) -> None:
    records = fill(tmp_path, 300, batch=50, segment_max_entries=120)
    with JournalReader(tmp_path / "journal") as reader:
        key = reader.identity.current_key
        for sequence in (0, 1, 255, 256, 299):
            text = prove(tmp_path / "journal", reader, sequence).text
            assert text.startswith(f"{PROOF_FORMAT}\nextra ")
            proof = parse_proof(text)
            assert proof.text == text
            assert proof.check([key]).size == 300
            assert proof.index == sequence
            assert proof.envelope.endswith(sha256(records[sequence].raw).digest())


def test_a_changed_proof_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, 20)
    with JournalReader(tmp_path / "journal") as reader:
        key = reader.identity.current_key
        proof = prove(tmp_path / "journal", reader, 7)
    for wrong in (
        replace(proof, index=6),
        replace(proof, envelope=proof.envelope + b"x"),
        replace(proof, path=proof.path[:-1]),
        replace(proof, checkpoint=proof.checkpoint.replace("\n20\n", "\n21\n")),
    ):
        with pytest.raises(IntegrityViolation):
            wrong.check([key])


def test_an_entry_above_the_head_has_no_proof_yet(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.append([received(0)])
        with JournalReader(tmp_path / "journal") as reader:
            with pytest.raises(NotFound, match="try again"):
                prove(tmp_path / "journal", reader, 0)
            writer.publish_head()
            assert prove(tmp_path / "journal", reader, 0).path == ()
            with pytest.raises(NotFound, match="no entry"):
                prove(tmp_path / "journal", reader, 1)


def test_any_two_heads_are_consistent(tmp_path: Path) -> None:
    fill(tmp_path, 40, batch=3, head_every=1)
    records, _ = parse_history(history_files(tmp_path / "journal")[0][1].read_bytes())
    heads = [record.unchecked() for record in records]
    assert len(heads) > 10
    for old in heads:
        for new in heads[heads.index(old) :]:
            path = prove_consistency(tmp_path / "journal", old.size, new.size)
            assert is_consistent((old.size, old.root), (new.size, new.root), path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{PROOF_FORMAT}\n\n",
        f"{PROOF_FORMAT}\nindex 0\n\nx",
        f"{PROOF_FORMAT}\nextra AAAA\n\nx",
        f"{PROOF_FORMAT}\nextra AAAA\nindex -1\n\nx",
        f"{PROOF_FORMAT}\nextra !!\nindex 1\n\nx",
        f"{PROOF_FORMAT}\nextra AAAA\nindex 1\nAAAA",
        f"{PROOF_FORMAT}\nextra AAAA\nindex 1\n" + "AAAA\n" * 65 + "\nx",
        "c2sp.org/tlog-proof@v2\nextra AAAA\nindex 1\n\nx",
    ],
)
def test_what_is_no_proof(text: str) -> None:
    with pytest.raises(IntegrityViolation):
        parse_proof(text)


def test_the_proof_of_the_standard(tmp_path: Path) -> None:
    """The layout line by line, as C2SP tlog-proof orders it."""
    fill(tmp_path, 5)
    with JournalReader(tmp_path / "journal") as reader:
        proof = prove(tmp_path / "journal", reader, 2)
    top, _, note = proof.text.partition("\n\n")
    lines = top.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1] == "extra " + base64.b64encode(proof.envelope).decode()
    assert lines[2] == "index 2"
    assert [len(base64.b64decode(line)) for line in lines[3:]] == [32, 32, 32]
    assert note == (tmp_path / "journal" / "checkpoint").read_text()
