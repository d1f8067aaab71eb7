"""A real syslog receiver in a thread of its own, which keeps what arrives."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import AuditError
from audit.transport.arrival import Arrival, Refusal
from audit.transport.pki import CertificateAuthority
from audit.transport.receiver import SyslogReceiver
from audit.transport.receiver_options import ReceiverOptions
from audit.transport.tls import ClientTls, ServerTls, Trust


class Repository:
    """What arrived, and where."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.tls_port = self.udp_port = 0
        self._receiver: SyslogReceiver | None = None

    def take(self, arrival: Arrival) -> None:
        self.arrived.append(arrival.raw)
        if self._receiver is not None:
            self._receiver.settle(arrival, len(self.arrived))

    def refuse(self, refusal: Refusal) -> None:
        raise AuditError(refusal.reason)

    @contextmanager
    def listening(self, options: ReceiverOptions) -> Iterator["Repository"]:
        """Receives until the block ends."""
        started = threading.Event()
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()

        async def serve() -> None:
            self._receiver = SyslogReceiver(options, self.take, self.refuse)
            await self._receiver.start()
            self.tls_port, self.udp_port = self._receiver.tls_port, self._receiver.udp_port
            started.set()
            await stop.wait()
            await self._receiver.stop(1.0)

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        assert started.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()


class Pki:
    """A certificate authority, a server and a node that trust it."""

    def __init__(self, folder: Path) -> None:
        authority = CertificateAuthority.create("Test CA")
        self._ca, _ = authority.credentials.write(folder, "ca")
        self._server = authority.issue_server("localhost", ["127.0.0.1"]).write(folder, "server")
        self._node = authority.issue_client("viewer-3").write(folder, "node")

    def server_options(self, port: int = 0) -> ReceiverOptions:
        certificate, key = self._server
        tls = ServerTls(
            certificate=certificate, private_key=key, trust=Trust(ca_files=(self._ca,))
        )
        return ReceiverOptions(host="127.0.0.1", tls=tls, tls_port=port, udp_port=0)

    def client(self) -> ClientTls:
        certificate, key = self._node
        return ClientTls(
            trust=Trust(ca_files=(self._ca,)), certificate=certificate, private_key=key
        )
