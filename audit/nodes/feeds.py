"""Where a node's audit messages go."""

from collections.abc import Callable
from typing import Protocol

from audit.nodes.dicom_tls import Credentials
from audit.nodes.registry import Station
from audit.record.audit_message import AuditMessage


class Feed(Protocol):
    """Takes audit messages and sees to it that they arrive; safe to use from threads."""

    def emit(self, message: AuditMessage) -> None:
        """Take one message; never waits for the network."""

    def stop(self) -> None:
        """Deliver what can be delivered quickly, keep the rest, and end."""


OpenFeed = Callable[[Station, Credentials], Feed]
