"""What the journal costs, beside the bare writing and hashing of the same bytes."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from audit.bench.clocks import timed
from audit.bench.journal_append import measure_appends
from audit.bench.machine import machine
from audit.garbage import spare_collections
from audit.journal.files import Files
from audit.journal.recovery import segment_files
from audit.journal.seal import Sealed, seal_segment
from audit.journal.segment_file import SegmentFile
from audit.journal.verify import VerifyReport, verify

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalBenchOptions:
    """How much is written.

    Attributes:
        records: how many.
        batch: how many share one sync.
        folder: where the temporary folder is made; its file system is what is measured.
    """

    records: int = 196_608
    batch: int = 256
    folder: Path | None = None


def run(options: JournalBenchOptions) -> dict[str, Any]:
    """Append, with the same octets going bare into a file beside; then verify and seal."""
    spare_collections()  # as the receiver does
    with tempfile.TemporaryDirectory(prefix="arr-bench-", dir=options.folder) as made:
        folder = Path(made)
        written = measure_appends(folder, options.records, options.batch)
        read = _verify(folder / "journal")
        sealed = _seal(folder / "journal")
    return {
        "records": options.records,
        "batch": options.batch,
        **written,
        **read,
        **sealed,
        "machine": machine(),
    }


def _verify(journal: Path) -> dict[str, Any]:
    files = sorted(path for path in journal.rglob("*") if path.is_file())
    octets = sum(file.stat().st_size for file in files)
    reports = []
    ours = timed(lambda: reports.append(verify(journal)))
    bare = timed(lambda: _hash(files))
    return {
        "intact": reports[0].intact,
        "bytes_per_record": round(octets / max(1, reports[0].entries), 1),
        "verify_mb_per_s": round(octets / ours.wall_s / _MEGABYTE, 1),
        "sha256sum_mb_per_s": round(octets / bare.wall_s / _MEGABYTE, 1),
        "verify_to_sha256sum": round(bare.wall_s / ours.wall_s, 3),
    }


def _seal(journal: Path) -> dict[str, Any]:
    """Seal the closed segments, and verify once more."""
    closed = segment_files(journal)[:-1]
    plain = sealed = entries = 0
    seconds = 0.0
    for _, path in closed:
        with SegmentFile(path) as octets:
            entries += len(octets.foot().offsets)
        made: list[Sealed | None] = []
        seconds += timed(partial(_seal_into, made, path)).cpu_s
        for one in made:
            if one is not None:
                plain, sealed = plain + one.plain_octets, sealed + one.sealed_octets
    reports: list[VerifyReport] = []
    verified = timed(lambda: reports.append(verify(journal)))
    return {
        "sealed_bytes_per_record": round(sealed / max(1, entries), 1),
        "seal_ratio": round(plain / max(1, sealed), 2),
        "seal_mb_per_cpu_s": round(plain / max(seconds, 1e-9) / _MEGABYTE, 1),
        "verify_sealed_mb_per_s": round(reports[0].octets / verified.wall_s / _MEGABYTE, 1),
        "sealed_intact": reports[0].intact,
    }


def _seal_into(made: list[Sealed | None], path: Path) -> None:
    made.append(seal_segment(Files(), path))


def _hash(files: Sequence[Path]) -> None:
    program = shutil.which("sha256sum")
    if program is not None:
        command = [program, "--", *map(str, files)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own files
        return
    for file in files:
        with file.open("rb") as octets:
            hashlib.file_digest(octets, "sha256")
