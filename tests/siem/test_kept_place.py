from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import StorageError
from audit.siem.kept_place import DeadLetter, DeadLetters, KeptPlace, dead_letters


def letter(sequence: int, reason: str = "too long") -> DeadLetter:
    return DeadLetter(id=f"log-{sequence}", sequence=sequence, received="now", reason=reason)


def test_a_place_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "push" / "siem.json"
    assert KeptPlace(path, "log").read() is None
    KeptPlace(path, "log").write(42)
    assert KeptPlace(path, "log").read() == 42
    assert KeptPlace(path, "other").read() is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["siem.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"origin": "log"}', '{"origin": "log", "position": "x"}']
)
def test_a_damaged_place_is_no_beginning(tmp_path: Path, text: str) -> None:
    path = tmp_path / "siem.json"
    path.write_text(text)
    with pytest.raises(StorageError, match="mend it"):
        KeptPlace(path, "log").read()


def test_a_disk_that_fails_is_said(tmp_path: Path) -> None:
    (tmp_path / "push").write_text("in the way")
    with pytest.raises(StorageError):
        KeptPlace(tmp_path / "push" / "siem.json", "log").write(1)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError):
        DeadLetters(tmp_path / "folder")
    letters = DeadLetters(tmp_path / "none")
    (tmp_path / "none").mkdir()
    with pytest.raises(StorageError):
        letters.add(letter(1))


def test_letters_are_kept_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "push" / "dead.ndjson"
    letters = DeadLetters(path)
    for sequence in (3, 5, 3, 5, 9):
        letters.add(letter(sequence))
    assert [one.sequence for one in dead_letters(path)] == [3, 5, 9]
    again = DeadLetters(path)
    again.add(letter(5))
    again.add(letter(11, "words\nof two lines"))
    assert again.count == 4
    assert list(dead_letters(path))[-1].reason == "words\nof two lines"


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    DeadLetters(path).add(letter(1))
    path.write_bytes(path.read_bytes() + b'{"id": "lo')
    assert [one.sequence for one in dead_letters(path)] == [1]


def test_what_follows_a_torn_line_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    path.write_bytes(b'{"id": "lo')
    letters = DeadLetters(path)
    letters.add(letter(2))
    letters.add(letter(3))
    assert [one.sequence for one in dead_letters(path)] == [2, 3]


def test_an_empty_file_is_no_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    path.touch()
    DeadLetters(path).add(letter(2))
    assert path.read_bytes().startswith(b"{")


def test_another_record_in_the_place_of_an_earlier_one_is_kept(tmp_path: Path) -> None:
    """After a restore, or in a journal begun anew."""
    path = tmp_path / "dead.ndjson"
    DeadLetters(path).add(letter(9))
    letters = DeadLetters(path)
    third = letter(3)
    for other in (replace(third, id="other-3"), replace(third, received="2027-01-01T00:00:00Z")):
        letters.add(other)
        letters.add(other)
    assert [one.sequence for one in dead_letters(path)] == [9, 3, 3]


def test_beyond_the_most_they_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    letters = DeadLetters(path, most=2)
    for sequence in range(5):
        letters.add(letter(sequence))
    assert (letters.count, len(list(dead_letters(path)))) == (5, 2)
