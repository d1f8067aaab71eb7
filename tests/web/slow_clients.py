"""Many clients that are too slow, in every way a client can be: all are cut in time.

    python -m tests.web.slow_clients HOST PORT [CLIENTS] [SECONDS]

tells how many of them a running server cut within the seconds, and when the last went.
"""

import selectors
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic

BEGINNINGS = (
    b"",
    b"G",
    b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    b"POST /api/v1/events/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{",
)
"""Nothing at all, a letter, half a header, half a field, half a body."""


def connected(host: str, port: int, clients: int, stack: ExitStack) -> Iterator[socket.socket]:
    """So many clients, each stuck at one of the beginnings."""
    for number in range(clients):
        peer = stack.enter_context(socket.create_connection((host, port), timeout=120))
        peer.sendall(BEGINNINGS[number % len(BEGINNINGS)])
        peer.setblocking(False)
        yield peer


def cut_within(host: str, port: int, clients: int, within_s: float) -> tuple[int, float]:
    """How many of so many slow clients the server cut, and after how many seconds the last."""
    with ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for peer in connected(host, port, clients, stack):
            waiting.register(peer, selectors.EVENT_READ, peer)
        began = monotonic()
        cut, last = 0, 0.0
        while cut < clients and monotonic() - began < within_s:
            for key, _ in waiting.select(timeout=0.2):
                slow: socket.socket = key.data
                if _is_cut(slow):
                    waiting.unregister(slow)
                    cut, last = cut + 1, monotonic() - began
        return cut, last


def _is_cut(peer: socket.socket) -> bool:
    """Whether the server has closed; what it says before (408) is read and passed over."""
    try:
        return peer.recv(65_536) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def main() -> None:
    """The script."""
    host, port, *more = sys.argv[1:]
    clients = int(more[0]) if more else 300
    within_s = float(more[1]) if len(more) > 1 else 60.0
    cut, last = cut_within(host, int(port), clients, within_s)
    sys.stdout.write(f"{cut} of {clients} cut, the last after {last:.1f} s\n")
    sys.exit(0 if cut == clients else 1)


if __name__ == "__main__":
    main()
