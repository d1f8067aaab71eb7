"""Where a node's audit messages go: to the repository, over mutually authenticated TLS syslog."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from audit.emit.connect import TlsRepository, over_tls
from audit.nodes.dicom_tls import Credentials
from audit.nodes.registry import SITE, Station
from audit.record.audit_message import AuditMessage
from audit.record.build import Process, audit_source
from audit.transport.sender import SenderOptions
from audit.transport.tls import ClientTls, Trust

LONGEST_BACKOFF_S = 2.0
"""A demo's repository comes back soon after it was stopped."""


class Feed(Protocol):
    """Takes audit messages and sees to it that they arrive; safe to use from threads."""

    def emit(self, message: AuditMessage) -> None:
        """Take one message; never waits for the network."""

    def close(self, drain_s: float) -> int:
        """Deliver what the time allows, keep the rest; how many were not delivered."""


OpenFeed = Callable[[Station, Credentials], Feed]


def secure_feeds(host: str, port: int, spools: Path) -> OpenFeed:
    """Feeds to the repository at host and port; each node has a spool of its own.

    What a node could not deliver waits in its spool for the next start (ITI-20).
    """

    def open_feed(station: Station, credentials: Credentials) -> Feed:
        repository = TlsRepository(
            host=host,
            port=port,
            tls=ClientTls(
                trust=Trust(ca_files=(credentials.trusted,)),
                certificate=credentials.certificate,
                private_key=credentials.key,
            ),
            spool=spools / station.ae_title,
            sender=SenderOptions(longest_backoff_s=LONGEST_BACKOFF_S),
        )
        process = Process(
            process_id=station.ae_title, name=station.ae_title, ae_titles=(station.ae_title,)
        )
        return over_tls(audit_source(station.machine, SITE), process, repository)

    return open_feed
