"""Replaces the journal's signing key, beside the collector or without one."""

import time
from threading import Event

from audit.errors import JournalUnavailable
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.writer import JournalWriter
from audit.record.build import Alert
from audit.service.journal_keys import ask_for_key
from audit.service.operator import administering
from audit.service.paths import DataPaths
from audit.service.receive_options import journal_options
from audit.settings import Settings

_POLL_S = 0.05
_WAIT_S = 15.0


def replace_signing_key(settings: Settings, overlap_s: float) -> Identity:
    """Hand the journal over to a new signing key; both sign heads for so long.

    A running collector does it, and it is journaled first; without one it is done here, and the
    collector's next start tells.

    Raises:
        JournalUnavailable: there is no journal, or the collector didn't do it.
        AuditError: as ``JournalWriter.open`` and ``rotate_key``.
    """
    paths = DataPaths(settings.data)
    before = _identity(paths)
    if not paths.append_socket.exists():
        with JournalWriter.open(paths.journal, journal_options(settings, paths)) as writer:
            writer.rotate_key(overlap_s)
            return writer.identity
    with administering(settings) as administration:
        administration.record(
            "The journal's signing key is to be replaced; both keys sign for "
            f"{overlap_s / 86_400:.3f} days",
            Alert.SECURITY_CONFIGURATION,
        )
    ask_for_key(paths, overlap_s)
    deadline = time.monotonic() + _WAIT_S
    while (now := _identity(paths)) == before:
        if time.monotonic() >= deadline:
            raise JournalUnavailable("the collector did not replace the key; see its log")
        Event().wait(_POLL_S)
    return now


def _identity(paths: DataPaths) -> Identity:
    try:
        return read_identity(paths.journal)
    except OSError as error:
        raise JournalUnavailable(f"no journal can be read: {error}") from error
