"""Fills a repository and exports it in every form; prints how much memory that took, as JSON.

    python -m tests.query.exports.growth FOLDER COUNT [FORM …]

ARR_LONG=1 python -m pytest tests/query/exports/test_memory.py runs it with a million records.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import get_args

from audit.journal.entry import Received
from audit.query.access import ALL_SCOPES, Principal
from audit.query.exports.record_export import ExportOrder, Form
from audit.simulate.hospital import simulate
from tests.web.stack import Stack, maker_of, stack

OFFICER = Principal("officer", scopes=frozenset(ALL_SCOPES))
BATCH = 2_000
MIB = 1024 * 1024


def resident() -> int:
    """Octets of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def fill(made: Stack, count: int) -> None:
    """Simulated messages in journal and index."""
    messages = (one.syslog for one in simulate(3, datetime(2026, 1, 5, tzinfo=UTC), events=count))
    at = 1_768_000_000_000_000_000
    while batch := list(islice(messages, BATCH)):
        made.writer.append([Received(raw, at, "tls", "192.0.2.1:6514") for raw in batch])
        at += 1_000_000_000
        made.catch_up()


def exported(made: Stack, form: Form, file: Path) -> dict[str, float]:
    """Export into a file; records, octets, seconds, and the growth of memory in MiB."""
    begun, before = monotonic(), resident()
    peak, octets, digest = before, 0, sha256()
    with file.open("wb") as out:
        export = maker_of(made).make(OFFICER, form, "", ExportOrder(reason="measurement"))
        for chunk in export.chunks():
            octets += len(chunk)
            digest.update(chunk)
            out.write(chunk)
            peak = max(peak, resident())
        export.close()
    return {
        "records": export.count,
        "octets": octets,
        "seconds": round(monotonic() - begun, 1),
        "growth_mib": round((peak - before) / MIB, 1),
    }


def measured(folder: Path, count: int, forms: tuple[Form, ...]) -> Iterator[tuple[str, object]]:
    """Each form's figures."""
    with stack(folder) as made:
        fill(made, count)
        plain = made.append

        def append(raw: bytes, *, listener: str = "internal", at: int | None = None) -> int:
            sequence = plain(raw, listener=listener, at=at)
            made.writer.publish_head()
            return sequence

        made.append = append  # type: ignore[method-assign]
        for form in forms:
            list(
                maker_of(made)
                .make(OFFICER, form, "event:110100", ExportOrder(reason="x"))
                .chunks()
            )
        for form in forms:
            yield form, exported(made, form, folder / f"export.{form}")
        yield "key", made.reader.identity.current_key.text


if __name__ == "__main__":
    chosen = tuple(form for form in get_args(Form) if form in sys.argv[3:]) or get_args(Form)
    figures = dict(measured(Path(sys.argv[1]), int(sys.argv[2]), chosen))
    sys.stdout.write(json.dumps(figures) + "\n")
