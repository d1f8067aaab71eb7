"""Small journals for tests."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from audit.journal import master_keys
from audit.journal.entry import EntryKind, Received
from audit.journal.files import Files
from audit.journal.initialise import read_identity
from audit.journal.master_keys import MasterKey, MasterKeys
from audit.journal.note import Signer
from audit.journal.signing_key import load_signing_key
from audit.journal.writer import JournalOptions, JournalWriter
from tests.journal.faults import Unsynced

RECEIVED_AT = 1_770_000_000_000_000_000
MANY = 64
"""Records of a batch with which the disk begins before it is waited for."""


def options(root: Path, **changes: Any) -> JournalOptions:
    """Options below ``root``, with room on any disk and no waiting."""
    given: dict[str, Any] = {
        "key_file": root / "keys" / "log-signing.key",
        "position_file": root / "run" / "journal.position",
        "reserve_octets": 0,
        "lock_wait_s": 0.0,
    }
    return JournalOptions(**(given | changes))


def open_writer(root: Path, files: Files | None = None, **changes: Any) -> JournalWriter:
    return JournalWriter.open(root / "journal", options(root, **changes), files=files)


KEY = MasterKey(bytes(range(32)))


def encrypt(monkeypatch: pytest.MonkeyPatch, *keys: MasterKey) -> None:
    """This process encrypts what it writes to journals, until the test ends."""
    monkeypatch.setattr(master_keys._Process, "keys", MasterKeys(keys or (KEY,)))


def signer(root: Path) -> Signer:
    """The journal's own."""
    identity = read_identity(root / "journal")
    return Signer(identity.name, load_signing_key(options(root).key_file))


def received(number: int, octets: int = 40) -> Received:
    """A record that differs from its neighbours in every field."""
    text = f"<85>1 record {number} ".encode()
    return Received(
        raw=text + bytes((number + n) % 256 for n in range(octets)),
        received_at=RECEIVED_AT + number * 1_000_000,
        listener=("tls", "udp")[number % 2],
        peer=f"192.0.2.{number % 250}:6514",
        certificate_sha256=bytes([number % 256]) * 32 if number % 2 else b"",
    )


def certificate(number: int) -> Received:
    return Received(
        raw=b"DER" + bytes([number]),
        received_at=RECEIVED_AT,
        listener="tls",
        peer="192.0.2.1:1",
        certificate_sha256=bytes([number]) * 32,
        kind=EntryKind.CERTIFICATE,
    )


def fill(
    root: Path,
    count: int,
    *,
    batch: int = 4,
    head_every: int = 3,
    octets: int = 40,
    **changes: Any,
) -> list[Received]:
    """A closed journal of ``count`` records, with a head after every ``head_every`` batches."""
    records = [received(n, octets) for n in range(count)]
    with open_writer(root, Files(Unsynced()), **changes) as writer:
        append_all(writer, records, batch=batch, head_every=head_every)
    return records


def append_all(
    writer: JournalWriter, records: Sequence[Received], *, batch: int = 4, head_every: int = 3
) -> None:
    for number, start in enumerate(range(0, len(records), batch), 1):
        writer.append(records[start : start + batch])
        if number % head_every == 0:
            writer.publish_head()


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        threading.Event().wait(0.005)
