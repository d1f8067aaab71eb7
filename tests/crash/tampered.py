"""The journals that are tampered with: plain, sealed, bodies removed, keys changed, encrypted."""

from pathlib import Path

import pytest

from audit.journal.files import Files
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.seal import seal_segment
from audit.journal.verify import verify
from tests.journal.faults import Unsynced
from tests.journal.journals import append_all, encrypt, fill, open_writer, received, signer

KINDS = ("plain", "sealed", "removed", "keys changed", "encrypted", "encrypted and sealed")


def journal_of(
    kind: str,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    entries: int,
    segment: int,
    octets: int = 40,
) -> Path:
    """A few segments and heads; its first segment is of the kind, and writable."""
    if "encrypted" in kind:
        encrypt(monkeypatch)
    if kind == "keys changed":
        _with_two_keys(root, entries, segment, octets)
    else:
        fill(root, entries, segment_max_entries=segment, batch=2, octets=octets)
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


def _with_two_keys(root: Path, entries: int, segment: int, octets: int) -> None:
    """Half of it under one key, half under the next one while both sign."""
    records = [received(n, octets) for n in range(entries)]
    half = entries // 2
    with open_writer(root, Files(Unsynced()), segment_max_entries=segment) as writer:
        append_all(writer, records[:half], batch=2)
        writer.rotate_key(86_400)
        append_all(writer, records[half:], batch=2)


def files_of(journal: Path) -> list[Path]:
    """Every file of it."""
    return sorted(path for path in journal.rglob("*") if path.is_file())
