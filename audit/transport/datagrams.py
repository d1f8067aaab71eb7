"""UDP syslog: one message per datagram (RFC 5426 3.1), read only while there is room."""

import asyncio
import socket
import struct
import time

from audit.transport.arrival import Arrival
from audit.transport.connection import address_text
from audit.transport.intake import Intake

_LARGEST_DATAGRAM_OCTETS = 65536
_READS_AT_A_TIME = 64
"""Then the event loop serves the others."""
_READS_AT_STOP = 256
"""So a flood can't hold up a stop."""
_SO_RXQ_OVFL = 40
"""Linux: each datagram tells how many the kernel dropped before it (socket(7))."""
_DROPPED = struct.Struct("@I")
_ANCILLARY_OCTETS = socket.CMSG_SPACE(_DROPPED.size)


class DatagramListener:
    """Takes datagrams off a bound socket; stops reading while the intake is blocked.

    Nobody can hold back a UDP sender: what the kernel can't store meanwhile it drops, and
    ``kernel_dropped_datagrams`` counts it.
    """

    def __init__(self, bound: socket.socket, intake: Intake) -> None:
        self._socket = bound
        self._intake = intake
        self._reading = False
        self._dropped_before = 0
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)

    def set_reading(self, on: bool) -> None:
        """Starts or stops reading."""
        if on == self._reading:
            return
        self._reading = on
        loop = asyncio.get_running_loop()
        if on:
            loop.add_reader(self._socket.fileno(), self.read_waiting)
        else:
            loop.remove_reader(self._socket.fileno())

    def close(self) -> None:
        """Reads what waits in the kernel, then closes."""
        if not self._intake.blocked:
            for _ in range(_READS_AT_STOP):
                if not self.read_waiting():
                    break
        self.set_reading(False)
        self._socket.close()

    def read_waiting(self) -> bool:
        """Reads some datagrams that wait; True when more may wait."""
        for _ in range(_READS_AT_A_TIME):
            try:
                octets, ancillary, _, sender = self._socket.recvmsg(
                    _LARGEST_DATAGRAM_OCTETS, _ANCILLARY_OCTETS
                )
            except BlockingIOError:
                return False
            except OSError:
                continue  # an ICMP error about nothing of ours
            self._note_dropped(ancillary)
            if octets:
                self._intake.counters.datagrams += 1
                peer = address_text(sender)
                self._intake.offer(Arrival(octets, len(octets), time.time_ns(), "udp", peer))
            if self._intake.blocked:
                return False
        return True

    def _note_dropped(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        for level, kind, octets in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                (total,) = _DROPPED.unpack(octets[: _DROPPED.size])
                self._intake.counters.kernel_dropped_datagrams = total
