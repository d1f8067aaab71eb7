"""A synchronous TLS connection to a syslog receiver, which can tell what the peer confirmed."""

import fcntl
import socket
import ssl
import struct
import termios
from contextlib import suppress
from typing import Self

from audit.errors import ConnectionFailed
from audit.transport.refusal_words import refusal_words
from audit.transport.tls import TrustedPeers
from audit.transport.tls_session import verified_chain

_CHUNK_OCTETS = 65536
_INT = struct.Struct("i")


class TlsConnection:
    """One connection. Not thread-safe.

    ``close`` tells whether the peer answered our close_notify: this product's receiver does so
    only when every message of the connection is durable in its journal.
    """

    def __init__(self, connected: socket.socket, tls: ssl.SSLObject, bios: "Bios") -> None:
        self._socket = connected
        self._tls = tls
        self._bios = bios

    @classmethod
    def open(
        cls,
        address: tuple[str, int],
        context: ssl.SSLContext,
        trusted: TrustedPeers,
        server_name: str,
        timeout_s: float,
    ) -> Self:
        """Connects and authenticates both sides; every wait is at most ``timeout_s`` long.

        Raises:
            ConnectionFailed: the host can't be reached, or one side refuses the other.
        """
        where = f"{address[0]}:{address[1]}"
        try:
            connected = socket.create_connection(address, timeout_s)
        except OSError as error:
            raise ConnectionFailed(f"{where}: {error}") from error
        try:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bios = Bios()
            tls = context.wrap_bio(bios.incoming, bios.outgoing, server_hostname=server_name)
            connection = cls(connected, tls, bios)
            connection._shake_hands()
            connection._check_server(trusted, server_name)
        except (ssl.SSLError, OSError, ConnectionFailed) as error:
            connected.close()
            words = refusal_words(error) if isinstance(error, ssl.SSLError) else str(error)
            raise ConnectionFailed(f"{where}: {words}") from error
        except BaseException:
            connected.close()
            raise
        return connection

    def send(self, octets: bytes) -> None:
        """Hands the octets to the kernel, which does not mean that the peer has them.

        Raises:
            ConnectionFailed: the peer closed or refused us; how much it got is unknown.
        """
        self._look_for_end()
        view = memoryview(octets)
        try:
            for start in range(0, len(view), _CHUNK_OCTETS):
                self._tls.write(view[start : start + _CHUNK_OCTETS])
                self._flush()
        except (ssl.SSLError, OSError) as error:
            raise ConnectionFailed(self._why(error)) from error

    def unacknowledged_octets(self) -> int:
        """Octets that the peer's kernel has not acknowledged yet (SIOCOUTQ, Linux tcp(7)).

        Raises:
            ConnectionFailed: the connection is gone.
        """
        self._look_for_end()
        try:
            answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(_INT.size))
        except (OSError, ValueError) as error:
            raise ConnectionFailed(str(error)) from error
        return int(_INT.unpack(answer)[0])

    def close(self) -> bool:
        """Says that we are done; True when the peer answered in kind, so has read everything."""
        try:
            with suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
                return True
            self._flush()
            while self._read():
                pass
        except (ssl.SSLError, OSError):
            return False
        finally:
            self.abort()
        return True

    def abort(self) -> None:
        """Closes at once."""
        self._socket.close()

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
                continue
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # tell the peer why
                raise
            self._flush()
            return

    def _check_server(self, trusted: TrustedPeers, server_name: str) -> None:
        objection = trusted.server_objection(verified_chain(self._tls), server_name)
        if objection:
            raise ConnectionFailed(f"server refused: {objection}")

    def _flush(self) -> None:
        if self._bios.outgoing.pending:
            self._socket.sendall(self._bios.outgoing.read())

    def _fill(self) -> None:
        data = self._socket.recv(_CHUNK_OCTETS)
        if data:
            self._bios.incoming.write(data)
        else:
            self._bios.incoming.write_eof()

    def _read(self) -> bytes:
        """What the peer sent, which a receiver of syslog doesn't; empty at its close_notify."""
        while True:
            try:
                return self._tls.read(_CHUNK_OCTETS)
            except ssl.SSLWantReadError:
                self._fill()
            except ssl.SSLZeroReturnError:
                return b""

    def _look_for_end(self) -> None:
        """Finds out, without waiting, whether the peer closed or sent an alert meanwhile."""
        timeout_s = self._socket.gettimeout()
        try:
            self._socket.setblocking(False)
            while self._read():
                pass
        except BlockingIOError:
            return  # alive and silent, as it should be
        except (ssl.SSLError, OSError) as error:
            raise ConnectionFailed(self._why(error)) from error
        finally:
            with suppress(OSError):
                self._socket.settimeout(timeout_s)
        raise ConnectionFailed("the receiver closed the connection")

    def _why(self, error: Exception) -> str:
        return refusal_words(error) if isinstance(error, ssl.SSLError) else str(error)


class Bios:
    """The two buffers between a TLS object and its socket."""

    def __init__(self) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
