"""Refused nodes are reported one by one, and what came of messages that broke off is kept.

But nobody may fill the journal by being refused.
"""

from dataclasses import dataclass, field

from cryptography import x509

from audit.frame.octet_counting import Frame
from audit.journal.entry import BROKEN_OFF, EntryKind, Received
from audit.transport.arrival import Refusal

REPORTS_PER_ADDRESS = 20
WINDOW_S = 60.0
MAX_ADDRESSES = 4096
OTHERS = "all other addresses"


@dataclass(slots=True)
class _Window:
    since: float
    reported: int = 0
    unreported: int = 0


@dataclass(slots=True)
class RefusalBudget:
    """How many refusals of one address become records in a minute; the rest are counted."""

    reports: int = REPORTS_PER_ADDRESS
    window_s: float = WINDOW_S
    max_addresses: int = MAX_ADDRESSES
    _windows: dict[str, _Window] = field(default_factory=dict)

    def take(self, address: str, now: float) -> int | None:
        """Whether to report this refusal.

        Args:
            address: who was refused.
            now: monotonic seconds.

        Returns:
            None when it is only counted, else how many were not reported before it.
        """
        window = self._windows.get(address)
        if window is None:
            window = self._new(address, now)
        if now - window.since >= self.window_s:
            window.since, window.reported = now, 0
        if window.reported >= self.reports:
            window.unreported += 1
            return None
        window.reported += 1
        unreported, window.unreported = window.unreported, 0
        return unreported

    def _new(self, address: str, now: float) -> _Window:
        if len(self._windows) >= self.max_addresses:
            over = [
                known
                for known, window in self._windows.items()
                if now - window.since >= self.window_s and not window.unreported
            ]
            for known in over:
                del self._windows[known]
        if len(self._windows) >= self.max_addresses:
            address = OTHERS
        return self._windows.setdefault(address, _Window(now))


def fragment_of(refusal: Refusal, kept: Frame, fingerprint: bytes) -> Received:
    """The record of a message that broke off: what of it came, flagged so."""
    return Received(
        raw=kept.octets,
        received_at=refusal.received_at,
        listener=refusal.listener,
        peer=refusal.peer,
        certificate_sha256=fingerprint,
        kind=EntryKind.TRUNCATED if kept.truncated else EntryKind.MESSAGE,
        original_length=kept.original_length if kept.truncated else None,
        flags=BROKEN_OFF,
    )


def subject_of(certificate_der: bytes | None) -> str:
    """The subject of a refused certificate; empty when there is none or it can't be read."""
    if certificate_der is None:
        return ""
    try:
        return x509.load_der_x509_certificate(certificate_der).subject.rfc4514_string()
    except ValueError:
        return ""
