"""Sends through a spool: nothing is lost while the receiver is away (ITI-20, store and retry)."""

import threading
import time
from dataclasses import dataclass

from audit.errors import ConnectionFailed, StorageError
from audit.transport.sender import SyslogTlsSender
from audit.transport.spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledSenderOptions:
    """How waiting messages are sent.

    Attributes:
        batch_messages: sent before the peer's acknowledgement is waited for.
        batch_octets: likewise.
        acknowledge_s: how long the peer's kernel may take to acknowledge a batch.
        trust_after_s: age of a connection before an acknowledgement counts: in TLS 1.3 a
            receiver that refuses us does so after our handshake, and acknowledges until then.
    """

    batch_messages: int = 256
    batch_octets: int = 1024 * 1024
    acknowledge_s: float = 30.0
    trust_after_s: float = 0.5


_LOOK_AGAIN_S = 0.005
_DISK_RETRY_S = 1.0


class SpooledSender:
    """Keeps each message on disk until the receiver's kernel has acknowledged it. Thread-safe.

    At least once: after a broken connection the last batch is sent again. The receiver's crash
    between its kernel and its journal can still lose messages; RFC 5425 has no remedy.
    """

    def __init__(
        self, sender: SyslogTlsSender, spool: Spool, options: SpooledSenderOptions | None = None
    ) -> None:
        """Starts the thread that sends; takes over sender and spool, and closes them."""
        self._sender = sender
        self._spool = spool
        self._options = options or SpooledSenderOptions()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._empty = threading.Condition()
        self.last_error = ""
        self._thread = threading.Thread(target=self._run, name="syslog-sender", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Messages that the receiver has not acknowledged."""
        return len(self._spool)

    def send(self, *messages: bytes) -> None:
        """Keeps the messages; returns before they are sent.

        Raises:
            SpoolFull: the receiver has been away for too long.
            StorageError: the disk failed.
        """
        self._spool.put(*messages)
        self._wake.set()

    def flush(self, timeout_s: float) -> bool:
        """Waits until nothing waits; False when the time was too short."""
        with self._empty:
            return self._empty.wait_for(lambda: not len(self._spool), timeout_s)

    def close(self, drain_s: float = 2.0) -> int:
        """Sends what it can in the time, closes; gives how many messages stay on the spool."""
        self.flush(drain_s)
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._sender.close()
        remaining = len(self._spool)
        self._spool.close()
        return remaining

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                while not self._stopping.is_set() and self._send_batch():
                    pass
            except ConnectionFailed as error:
                self.last_error = str(error)
                self._stopping.wait(self._sender.retry_in_s)
                continue
            except StorageError as error:
                self.last_error = str(error)
                self._stopping.wait(_DISK_RETRY_S)
                continue
            self._wake.wait()

    def _send_batch(self) -> bool:
        options = self._options
        batch = self._spool.peek(options.batch_messages, options.batch_octets)
        if not batch:
            return False
        self._sender.send(*batch)
        self._wait_for_acknowledgement()
        self._spool.remove(len(batch))
        self.last_error = ""
        with self._empty:
            self._empty.notify_all()
        return True

    def _wait_for_acknowledgement(self) -> None:
        """Returns once the peer's kernel has everything on a connection that it accepted.

        Raises:
            ConnectionFailed: it doesn't, in time, or the connection broke.
        """
        deadline_s = time.monotonic() + self._options.acknowledge_s
        while (
            self._sender.unacknowledged_octets()
            or self._sender.connected_for_s < self._options.trust_after_s
        ):
            if time.monotonic() > deadline_s:
                self._sender.close()
                raise ConnectionFailed("the receiver doesn't take what is sent")
            if self._stopping.wait(_LOOK_AGAIN_S):
                raise ConnectionFailed("stopped")
