"""Ways from a Secure Node to a repository: TLS with a spool on disk, or UDP."""

from dataclasses import dataclass, field
from pathlib import Path

from audit.emit.outbox import OutboxOptions
from audit.emit.secure_node import SecureNode
from audit.record.audit_message import AuditSource
from audit.record.build import Process
from audit.transport.receiver_options import SYSLOG_TLS_PORT, SYSLOG_UDP_PORT
from audit.transport.sender import SenderOptions, SyslogTlsSender, SyslogUdpSender
from audit.transport.spool import Spool, SpoolOptions
from audit.transport.spooled_sender import SpooledSender
from audit.transport.tls import ClientTls


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsRepository:
    """A repository that takes syslog over TLS (RFC 5425), and the spool before it.

    Attributes:
        host, port: where it listens.
        tls: certificates, as for any client.
        spool: folder of this node alone; what waits in it is sent first.
        sender: timeouts and back-off.
        spool_limits: how much may wait.
    """

    host: str
    tls: ClientTls
    spool: Path
    port: int = SYSLOG_TLS_PORT
    sender: SenderOptions = field(default_factory=SenderOptions)
    spool_limits: SpoolOptions = field(default_factory=SpoolOptions)


def over_tls(
    source: AuditSource,
    process: Process,
    repository: TlsRepository,
    options: OutboxOptions | None = None,
) -> SecureNode:
    """A node whose messages wait on disk until the repository has them (ITI-20).

    Raises:
        ConfigurationError: a certificate file is missing or another process uses the spool.
        StorageError: the spool can't be read or written.
    """
    tls = SyslogTlsSender(repository.host, repository.tls, repository.port, repository.sender)
    spool = Spool(repository.spool, repository.spool_limits)
    return SecureNode(source, process, SpooledSender(tls, spool), options)


class UdpSink:
    """Datagrams: sent once, never known to arrive (RFC 5426)."""

    def __init__(self, sender: SyslogUdpSender) -> None:
        self._sender = sender

    def send(self, *messages: bytes) -> None:
        """Send each as one datagram.

        Raises:
            ConnectionFailed: the kernel refuses one, as it does above 65,507 octets.
        """
        self._sender.send(*messages)

    def flush(self, timeout_s: float) -> bool:  # noqa: ARG002 - there is nothing to wait for
        """What is sent is gone."""
        return True

    def close(self, drain_s: float) -> int:  # noqa: ARG002 - there is nothing to wait for
        """Close the socket; nothing is kept."""
        self._sender.close()
        return 0


def over_udp(
    source: AuditSource, process: Process, host: str, port: int = SYSLOG_UDP_PORT
) -> SecureNode:
    """A node that sends datagrams, for networks that have nothing better.

    Raises:
        ConnectionFailed: the host is unknown.
    """
    # One at a time, so that a message too long for a datagram takes no other with it.
    sink = UdpSink(SyslogUdpSender(host, port))
    return SecureNode(source, process, sink, OutboxOptions(batch_messages=1))
