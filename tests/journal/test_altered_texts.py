"""The journal's texts have one form: both verifiers find whatever else is in their place."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.journal import layout
from audit.journal.files import Files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.standalone import verify_evidence
from audit.journal.verify import verify
from tests.journal.faults import Unsynced
from tests.journal.journals import open_writer, received, signer

TEXTS = (
    layout.IDENTITY,
    layout.CHECKPOINT,
    f"{layout.HEADS}/{layout.heads_name(0)}",
    layout.removal_name(0),
    layout.seal_name(0),
)
NUMBERS = (b"9" * 6000, b"-1", b"1e5", "\u0661".encode(), b"007", b"")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three segments, two keys and a removal."""
    root = tmp_path_factory.mktemp("texts")
    with open_writer(root, Files(Unsynced()), segment_max_entries=4) as writer:
        for number in range(10):
            if number == 5:
                writer.rotate_key(86_400)
            writer.append([received(number)])
    options = RemovalOptions(signer=signer(root))
    Remover(root / "journal", options, Files(Unsynced())).remove(0, [1, 2], "its time is over")
    assert verify(root / "journal").violations == ()
    return root / "journal"


def variants(whole: bytes) -> Iterator[bytes]:
    yield b""
    yield b"\xff\xfe" + whole
    yield b"\n" * 50_000
    yield whole * 2
    yield whole + b"\n"
    yield whole.replace(b"\n", b"\r\n")
    yield whole.replace(b"\n", b"\r")
    yield whole.replace(b" ", b"\t", 1)
    for found in list(re.finditer(rb"\b\d+\b", whole))[:5]:
        for number in NUMBERS:
            yield whole[: found.start()] + number + whole[found.end() :]


@pytest.mark.parametrize("name", TEXTS)
def test_another_form_of_a_text_is_found(journal: Path, name: str) -> None:
    path = journal / name
    whole = path.read_bytes()
    try:
        for other in variants(whole):
            assert other != whole
            path.write_bytes(other)
            assert verify(journal).exit_code == 4, other[:200]
            assert verify_evidence.main(["journal", str(journal)]) == 4, other[:200]
    finally:
        path.write_bytes(whole)
