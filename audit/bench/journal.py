"""What the journal costs, beside the bare writing and hashing of the same bytes."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from audit.bench.clocks import timed
from audit.bench.machine import machine
from audit.bench.traffic import batches, received
from audit.journal.entry import SALT_OCTETS, Received
from audit.journal.entry_batch import EncodedBatch
from audit.journal.files import Files
from audit.journal.recovery import segment_files
from audit.journal.seal import Sealed, seal_segment
from audit.journal.segment_file import SegmentFile
from audit.journal.verify import VerifyReport, verify
from audit.journal.writer import JournalOptions, JournalWriter

_MEGABYTE = 1_000_000
_SEGMENTS = 4
"""The last one is never sealed; so three of four quarters are."""
_MOST_BUFFERS = os.sysconf("SC_IOV_MAX")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalBenchOptions:
    """How much is written.

    Attributes:
        records: how many.
        batch: how many share one sync.
        folder: where the temporary folder is made; its file system is what is measured.
    """

    records: int = 50_000
    batch: int = 256
    folder: Path | None = None


def run(options: JournalBenchOptions) -> dict[str, Any]:
    """Append, then verify; after each batch the same octets go bare into a file beside."""
    with tempfile.TemporaryDirectory(prefix="arr-bench-", dir=options.folder) as made:
        folder = Path(made)
        written = _append(folder, options)
        read = _verify(folder / "journal", options.records)
        sealed = _seal(folder / "journal")
    return {
        "records": options.records,
        "batch": options.batch,
        **written,
        **read,
        **sealed,
        "machine": machine(),
    }


def _append(folder: Path, options: JournalBenchOptions) -> dict[str, Any]:
    journal = JournalOptions(
        key_file=folder / "keys" / "log-signing.key",
        position_file=folder / "run" / "journal.position",
        segment_max_entries=max(1, options.records // _SEGMENTS),
    )
    arrived = received(options.records, days=1)
    ours_s = ours_cpu_s = bare_s = 0.0
    octets = 0
    with (
        JournalWriter.open(folder / "journal", journal) as writer,
        _bare_file(folder / "bare") as write,
    ):
        for batch in batches(arrived, options.batch):
            buffers = _buffers(batch, writer.durable_count)
            octets += sum(len(one.raw) for one in batch)
            ours = timed(lambda batch=batch: writer.append(batch))  # type: ignore[misc]
            bare = timed(lambda buffers=buffers: write(buffers))  # type: ignore[misc]
            ours_s, ours_cpu_s = ours_s + ours.wall_s, ours_cpu_s + ours.cpu_s
            bare_s += bare.wall_s
    return {
        "octets_per_message": round(octets / options.records, 1),
        "appended_per_s": round(options.records / ours_s),
        "appended_per_cpu_s": round(options.records / ours_cpu_s),
        "bare_per_s": round(options.records / bare_s),
        "ratio_to_bare": round(bare_s / ours_s, 3),
    }


def _buffers(batch: Sequence[Received], first: int) -> list[bytes]:
    return EncodedBatch(first, bytes(SALT_OCTETS * len(batch)), batch).buffers


@contextmanager
def _bare_file(path: Path) -> Iterator[Callable[[Sequence[bytes]], None]]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(buffers: Sequence[bytes]) -> None:
        for start in range(0, len(buffers), _MOST_BUFFERS):
            os.writev(descriptor, buffers[start : start + _MOST_BUFFERS])
        os.fdatasync(descriptor)

    try:
        yield write
    finally:
        os.close(descriptor)


def _verify(journal: Path, records: int) -> dict[str, Any]:
    files = sorted(path for path in journal.rglob("*") if path.is_file())
    octets = sum(file.stat().st_size for file in files)
    reports = []
    ours = timed(lambda: reports.append(verify(journal)))
    bare = timed(lambda: _hash(files))
    return {
        "intact": reports[0].intact,
        "bytes_per_record": round(octets / records, 1),
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
