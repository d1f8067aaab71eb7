"""Letting go of questions to Elasticsearch that nobody waits for any more.

Elasticsearch cancels a search when the connection it came over is closed. So a connection whose
asker has left is ended, within a moment, by one thread that looks after all of them.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Final

from audit.errors import IndexUnavailable
from audit.index.giving_up import LEFT, has_left

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

LOOKS_EVERY_S: Final = 0.1


class NobodyWaits(IndexUnavailable, RuntimeError):
    """Whoever asked has left; there is no answer.

    A RuntimeError as well, for that the client library hands on as it is: no node is at fault.
    """


class Watch:
    """Ends connections on which nobody waits any more. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: dict[int, tuple[Callable[[], bool], socket.socket]] = {}
        self._is_looking = False

    @contextmanager
    def over(self, connection: socket.socket) -> Iterator[None]:
        """While this holds, an answer is waited for on the connection.

        Raises:
            NobodyWaits: whoever asked has left, before or meanwhile.
        """
        if has_left():
            raise NobodyWaits("whoever asked has left")
        self._add(connection)
        try:
            yield
        except Exception as error:
            if has_left():
                raise NobodyWaits("whoever asked has left") from error
            raise
        finally:
            with self._changed:
                del self._waiting[id(connection)]
                self._changed.notify()

    def _add(self, connection: socket.socket) -> None:
        with self._changed:
            self._waiting[id(connection)] = (LEFT.get(), connection)
            if not self._is_looking:
                self._is_looking = True
                Thread(target=self._look, name="elastic-waiting", daemon=True).start()

    def _look(self) -> None:
        with self._changed:
            while self._waiting:
                for left, connection in self._waiting.values():
                    if left():
                        _end(connection)
                self._changed.wait(LOOKS_EVERY_S)
            self._is_looking = False


def _end(connection: socket.socket) -> None:
    """Whoever reads from it finds its end, below TLS too; the reader closes it."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Watched:
    """What a connection of the client's pool does beside."""

    sock: socket.socket
    watch: Watch

    def getresponse(self) -> Any:
        """The answer; raises NobodyWaits."""
        with self.watch.over(self.sock):
            return super().getresponse()  # type: ignore[misc]  # of the connection it is mixed into


def let_go(client: "Elasticsearch") -> None:
    """Have the client end what nobody waits for; questions of this process's own always stay."""
    watch = Watch()
    for node in client.transport.node_pool.all():
        pool = node.pool  # type: ignore[attr-defined]  # of its default, urllib3's
        kind = pool.ConnectionCls
        pool.ConnectionCls = type("WatchedConnection", (_Watched, kind), {"watch": watch})
