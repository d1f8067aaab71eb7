"""The journals that are tampered with: plain, sealed, with bodies removed, encrypted."""

from pathlib import Path

import pytest

from audit.journal.files import Files
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.seal import seal_segment
from audit.journal.verify import verify
from tests.journal.faults import Unsynced
from tests.journal.journals import encrypt, fill, signer

KINDS = ("plain", "sealed", "removed", "encrypted", "encrypted and sealed")


def journal_of(
    kind: str, root: Path, monkeypatch: pytest.MonkeyPatch, *, entries: int, segment: int
) -> Path:
    """A few segments and heads; its first segment is of the kind, and writable."""
    if "encrypted" in kind:
        encrypt(monkeypatch)
    fill(root, entries, segment_max_entries=segment, batch=2)
    journal = root / "journal"
    if "sealed" in kind:
        for _, closed in segment_files(journal)[:-1]:
            assert seal_segment(Files(Unsynced()), closed) is not None
            closed.chmod(0o600)
    if kind == "removed":
        options = RemovalOptions(signer=signer(root))
        Remover(journal, options).remove(0, [0, 1, 5], "six years are over")
        assert verify(journal).removed == 3
    return journal


def files_of(journal: Path) -> list[Path]:
    """Every file of it."""
    return sorted(path for path in journal.rglob("*") if path.is_file())
