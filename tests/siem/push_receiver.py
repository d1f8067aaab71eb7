"""A receiver of a push that dies and answers as a test wants, and messages for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

from audit.errors import ConnectionFailed
from tests.query.trail import Trail


@dataclass
class Receiver:
    """A receiver as a ``Delivery``: what is in its kernel is lost when it dies.

    ``is_up`` False refuses connections; ``answers`` False never confirms.
    """

    is_up: bool = True
    answers: bool = True
    read: list[bytes] = field(default_factory=list)
    unread: list[bytes] = field(default_factory=list)
    is_open: bool = False

    @property
    def connected(self) -> bool:
        return self.is_open

    def open(self) -> None:
        if not self.is_up:
            raise ConnectionFailed("refused")
        self.is_open = True

    def deliver(self, messages: Sequence[bytes], stop: Event) -> None:
        if not self.is_open or not self.is_up or stop.is_set():
            self.abort()
            raise ConnectionFailed("gone")
        self.unread += messages

    def confirm(self) -> bool:
        was_open, self.is_open = self.is_open, False
        if not (was_open and self.is_up and self.answers):
            return False
        self.reads(len(self.unread))
        return True

    def abort(self) -> None:
        self.is_open = False

    def reads(self, count: int) -> None:
        self.read += self.unread[:count]
        del self.unread[:count]

    def dies(self, *, noticed: bool) -> None:
        self.unread.clear()
        self.is_up = False
        self.is_open = self.is_open and not noticed

    def sequences(self) -> list[int]:
        return [int(one.split(b' sequence="')[1].split(b'"')[0]) for one in self.read]


def say(trail: Trail, *texts: str) -> list[int]:
    said = [trail.take(f"<85>1 - host app - - - {text}".encode()) for text in texts]
    trail.follow()
    return said
