"""Every octet below a note in the journal counts: no signature is passed over, no line added."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.errors import IntegrityViolation
from audit.journal.files import Files
from audit.journal.note import open_note_by
from audit.journal.remove import RemovalOptions, Remover
from tests.journal.faults import Unsynced
from tests.journal.journals import append_all, open_writer, received, signer
from tests.journal.two_verifiers import first, second

STRANGER = "— stranger AAAAAAAA\n"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heads by one key, a seal, heads by two keys, and a statement of removal."""
    root = tmp_path_factory.mktemp("rotated")
    with open_writer(root, Files(Unsynced()), segment_max_entries=4) as writer:
        append_all(writer, [received(n) for n in range(4)], head_every=1)
        writer.rotate_key(86_400)
        append_all(writer, [received(n) for n in range(4, 12)], head_every=1)
    Remover(root / "journal", RemovalOptions(signer=signer(root))).remove(0, [1], "its time")
    assert first(root / "journal") == second("journal", root / "journal") == 0
    return root / "journal"


def notes(journal: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file that holds signed notes."""
    for pattern in ("checkpoint", "heads/*", "seals/*", "removals/*"):
        for path in sorted(journal.glob(pattern)):
            yield path, path.read_bytes()


def both(journal: Path) -> tuple[int, int]:
    return first(journal), second("journal", journal)


def test_every_altered_octet_of_a_signature_is_found(journal: Path) -> None:
    tried = 0
    for path, whole in notes(journal):
        starts = [n for n in range(len(whole)) if whole.startswith("— ".encode(), n)]
        for start in starts:
            end = whole.index(b"\n", start)
            for place in range(start, end + 1, 7):
                path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
                assert both(journal) == (4, 4), (path.name, place)
                tried += 1
        path.write_bytes(whole)
    assert tried > 100
    assert both(journal) == (0, 0)


def test_no_line_can_be_added_or_given_twice(journal: Path) -> None:
    for path, whole in notes(journal):
        text = whole.decode()
        last = next(line for line in reversed(text.splitlines()) if line.startswith("— "))
        for line in (STRANGER, last + "\n"):
            place = text.rindex(last) + len(last) + 1
            path.write_text(text[:place] + line + text[place:])
            assert both(journal) == (4, 4), (path.name, line)
        path.write_bytes(whole)
    assert both(journal) == (0, 0)


def test_a_note_by_two_keys_names_them_in_order(tmp_path: Path) -> None:
    with open_writer(tmp_path / "one"), open_writer(tmp_path / "other"):
        one, other = signer(tmp_path / "one"), signer(tmp_path / "other")
    text = "text\n"
    note = one.sign(text) + other.sign(text).removeprefix(f"{text}\n")
    assert open_note_by(note, [one.verifier, other.verifier]) == text
    for keys in ([one], [other, one], [one, other, one], []):
        with pytest.raises(IntegrityViolation, match="just the keys"):
            open_note_by(note, [key.verifier for key in keys])
    wrong = note.replace("text", "tent")
    with pytest.raises(IntegrityViolation, match="does not match"):
        open_note_by(wrong, [one.verifier, other.verifier])
