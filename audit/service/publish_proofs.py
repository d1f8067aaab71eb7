"""Proofs and heads of this machine's journal, for the command line."""

import os
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from audit.errors import JournalUnavailable, NotFound, RequestError
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import read_checkpoint
from audit.journal.initialise import read_identity
from audit.journal.locks import try_lock_directory
from audit.journal.note import VerifierKey, open_note, parse_checkpoint, split_note
from audit.journal.proof import Proof, prove
from audit.journal.reader import JournalReader
from audit.journal.witness_key import WitnessKey
from audit.query.self_audit import SelfAudit
from audit.service.operator import LISTENER, operator_principal
from audit.service.own_records import identity_of
from audit.service.paths import DataPaths
from audit.settings import Settings
from audit.transport.append_socket import AppendClient

HEAD_PATIENCE_S = 5.0
"""How long a proof waits for a head that covers its record; heads follow each second."""
_HEAD_POLL_S = 0.1
_RECORD_ID = re.compile("(?:(?P<origin>[a-z0-9]{4,16})-)?(?P<sequence>[0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class MadeProof:
    """A proof, and whether the look at the trail that it is was recorded."""

    record_id: str
    proof: Proof
    recorded: bool


def make_proof(settings: Settings, record_id: str) -> MadeProof:
    """The proof of one record, under the newest cosigned head where that covers it.

    While the repository runs, the look is journaled before the proof is given. A journal that
    nobody writes to, a copy for one, is proved without that.

    Raises:
        NotFound: there is no such record, or no head covers it.
        RequestError: that is no record's id.
        JournalUnavailable: there is no journal, or the look can't be journaled.
        IntegrityViolation: what is kept does not lead to the signed root.
    """
    paths = DataPaths(settings.data)
    matched = _RECORD_ID.fullmatch(record_id)
    if matched is None:
        raise RequestError(f"{record_id!r} is no record's id; it looks like k3f9x2ab-1042 or 1042")
    position = paths.position if paths.position.exists() else None
    with JournalReader(paths.journal, position) as reader:
        if matched["origin"] not in {None, reader.origin}:
            raise NotFound(f"{record_id} is not of this log, {reader.origin}")
        sequence = int(matched["sequence"])
        proof = _prove(paths, reader, sequence)
        name = f"{reader.origin}-{sequence}"
        return MadeProof(name, proof, _record(settings, paths, name))


def newest_head(paths: DataPaths) -> str:
    """The journal's newest head, with its cosignatures where it has some.

    Raises:
        JournalUnavailable: there is no journal.
        IntegrityViolation: the head is damaged, or not signed by the journal's key.
    """
    keys = journal_keys(paths)
    note = read_checkpoint(paths.journal)
    head = parse_checkpoint(open_note(note, keys))
    shown = CosignedHeads(paths.cosigned).shown(keys)
    return shown[0] if shown is not None and shown[1] == head else note


def journal_keys(paths: DataPaths) -> tuple[VerifierKey, ...]:
    """The keys that the journal names for itself.

    Raises:
        JournalUnavailable: there is no journal.
        IntegrityViolation: its identity is damaged.
    """
    try:
        identity = read_identity(paths.journal)
    except OSError as error:
        raise JournalUnavailable(f"no journal can be read: {error}") from error
    return tuple(key.verifier for key in identity.keys)


def keys_of(settings: Settings) -> tuple[VerifierKey, ...]:
    """The keys of the journal at hand; none without one."""
    try:
        return journal_keys(DataPaths(settings.data))
    except JournalUnavailable:
        return ()


def log_keys(texts: Iterable[str]) -> tuple[VerifierKey, ...]:
    """Verifier keys of logs.

    Raises:
        RequestError: one is none.
    """
    try:
        return tuple(VerifierKey.parse(text) for text in texts)
    except ValueError as error:
        raise RequestError(f"--key: {error}") from error


def witness_keys(texts: Iterable[str]) -> tuple[WitnessKey, ...]:
    """Verifier keys of witnesses.

    Raises:
        RequestError: one is none.
    """
    try:
        return tuple(WitnessKey.parse(text) for text in texts)
    except ValueError as error:
        raise RequestError(f"--witness: {error}") from error


def covering_head(paths: DataPaths, reader: JournalReader, sequence: int) -> str | None:
    """The newest cosigned head that covers the entry; None when the newest one has to do."""
    keys = tuple(key.verifier for key in reader.identity.keys)
    found = CosignedHeads(paths.cosigned).witnessed(keys)
    return found[0] if found is not None and sequence < found[1].size else None


def _prove(paths: DataPaths, reader: JournalReader, sequence: int) -> Proof:
    if sequence < reader.durable_count() and paths.append_socket.exists():
        _wait_for_head(paths, sequence)
    return prove(paths.journal, reader, sequence, covering_head(paths, reader, sequence))


def _wait_for_head(paths: DataPaths, sequence: int) -> None:
    """Until a head covers the entry, for a while; the newest records have none yet."""
    deadline = time.monotonic() + HEAD_PATIENCE_S
    while parse_checkpoint(split_note(read_checkpoint(paths.journal))[0]).size <= sequence:
        if time.monotonic() > deadline:
            return
        threading.Event().wait(_HEAD_POLL_S)


def _record(settings: Settings, paths: DataPaths, name: str) -> bool:
    """Journal the look, if there is anybody to take the record."""
    if not paths.append_socket.exists():
        return False
    appends = AppendClient(paths.append_socket)
    audit = SelfAudit(
        lambda raw: appends.append(raw, LISTENER), identity_of(settings, LISTENER), time.time_ns
    )
    try:
        audit.used(operator_principal(), (("record", name), ("view", "proof with its envelope")))
    except JournalUnavailable:
        if _is_written(paths):
            raise
        return False
    finally:
        appends.close()
    return True


def _is_written(paths: DataPaths) -> bool:
    """Whether a process has the journal; a socket may be left over from one that was killed."""
    lock = try_lock_directory(paths.journal)
    if lock is None:
        return True
    os.close(lock)
    return False
