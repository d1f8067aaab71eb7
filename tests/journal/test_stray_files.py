"""Files of a journal that don't belong there, or are not the newest ones."""

from pathlib import Path

import pytest

from audit.journal.heads import parse_history
from audit.journal.initialise import read_identity
from audit.journal.note import Checkpoint
from audit.journal.standalone import verify_evidence
from audit.journal.verify import verify
from tests.journal.journals import fill, signer


@pytest.mark.parametrize("content", [b"garbage", None, b""])
def test_heads_that_belong_to_no_segment(tmp_path: Path, content: bytes | None) -> None:
    fill(tmp_path, 12, segment_max_entries=4)
    heads = tmp_path / "journal" / "heads"
    last = max(heads.iterdir())
    stray = heads / f"{10**6:020d}.heads"
    stray.write_bytes(last.read_bytes() if content is None else content)
    found = verify(tmp_path / "journal")
    assert found.exit_code == (0 if content == b"" else 4)
    if content == b"":
        assert found.notes == (f"heads/{stray.name} is empty and belongs to no segment",)
    assert verify_evidence.main(["journal", str(tmp_path / "journal")]) == found.exit_code


def test_a_checkpoint_that_was_put_back_is_noted(tmp_path: Path) -> None:
    fill(tmp_path, 12, segment_max_entries=4, head_every=1)
    journal = tmp_path / "journal"
    earlier = parse_history(min((journal / "heads").iterdir()).read_bytes())[0][1]
    (journal / "checkpoint").write_text(earlier.note)
    found = verify(journal)
    assert found.violations == ()
    assert found.notes == ("checkpoint shows a head of size 4; the newest is of 12",)


def test_a_checkpoint_that_is_not_in_the_history_is_found_though_a_newer_head_is(
    tmp_path: Path,
) -> None:
    """The key's holder shows others another head than the journal has."""
    fill(tmp_path, 12, segment_max_entries=4, head_every=1)
    journal = tmp_path / "journal"
    other = Checkpoint(read_identity(journal).name, 4, bytes(32))
    (journal / "checkpoint").write_text(signer(tmp_path).sign(other.text))
    found = verify(journal)
    (violation,) = found.violations
    assert violation.problem == (
        "the head of size 4 is missing from the history, "
        "or stands there with other lines than in checkpoint"
    )
    assert verify_evidence.main(["journal", str(journal)]) == 4


def test_the_end_of_each_level_of_the_tree_is_looked_at(tmp_path: Path) -> None:
    fill(tmp_path, 300, batch=100)
    for level in (0, 1):
        with (tmp_path / "journal" / "tree" / str(level) / "000000000").open("ab") as stream:
            stream.write(b"12345")
    assert verify(tmp_path / "journal").notes == (
        "an unfinished hash ends the tree's level 0",
        "an unfinished hash ends the tree's level 1",
    )
