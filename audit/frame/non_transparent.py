"""Non-transparent framing: messages end at a trailer (RFC 6587 3.4.2). Bytes in, frames out.

XML holds line feeds of its own, so a line feed (or CR LF, or NUL) ends a message only where the
next message begins right behind it: ``<PRI>``. Well-formed XML can't hold ``<`` and a digit.
"""

import re
from dataclasses import dataclass, field

from audit.errors import FrameError
from audit.frame.octet_counting import (
    DEFAULT_KEPT_HEAD_OCTETS,
    DEFAULT_MAX_MESSAGE_OCTETS,
    Frame,
)

_TRAILER = re.compile(rb"(?:\r?\n|\x00\n?)(?=<[0-9]{1,3}>)")
_LAST_TRAILER = re.compile(rb"(?:\r?\n|\x00\n?)\Z")
_UNDECIDED_OCTETS = len(b"\r\n<191")
"""As many last octets of a chunk may be the beginning of a trailer and its PRI."""


@dataclass(slots=True)
class NonTransparentDecoder:
    """Cuts a stream at trailers; any split of the stream gives the same frames.

    A message longer than ``max_message_octets`` is given as its first ``kept_head_octets``.
    The last message of a stream has no successor: ``finish`` gives it, and ``flush`` does when
    the peer has been silent behind a trailer.
    """

    max_message_octets: int = DEFAULT_MAX_MESSAGE_OCTETS
    kept_head_octets: int = DEFAULT_KEPT_HEAD_OCTETS
    fault: FrameError | None = field(default=None, init=False)
    _buffer: bytearray = field(default_factory=bytearray, init=False)
    _scanned: int = field(default=0, init=False)
    _head: bytes = field(default=b"", init=False)
    _dropped: int = field(default=0, init=False)

    def feed(self, data: bytes) -> list[Frame]:
        """Every message whose successor begins in these octets, in order. Never raises."""
        self._buffer += data
        frames: list[Frame] = []
        while match := _TRAILER.search(self._buffer, self._scanned):
            self._hand_over(match.start(), match.end(), frames)
        self._scanned = max(self._scanned, len(self._buffer) - _UNDECIDED_OCTETS)
        self._drain()
        return frames

    def flush(self) -> list[Frame]:
        """The message that a trailer ends, if the buffer ends with one; for a silent peer."""
        return self.finish() if self._buffer.endswith((b"\n", b"\x00")) else []

    def finish(self) -> list[Frame]:
        """The last message, with or without trailer; an empty list when there is none."""
        frames: list[Frame] = []
        tail = max(0, len(self._buffer) - 2)
        trailer = _LAST_TRAILER.search(self._buffer, tail)
        end = trailer.start() if trailer else len(self._buffer)
        self._hand_over(end, len(self._buffer), frames)
        return frames

    @property
    def pending_octets(self) -> int:
        """Octets held of a message that is not complete yet."""
        return len(self._buffer) + len(self._head)

    @property
    def inside_message(self) -> bool:
        """Whether a message has begun and is not complete."""
        return bool(self._buffer or self._dropped)

    @property
    def remainder(self) -> Frame | None:
        """What is held of the message that is not complete; at most its head."""
        head = self._head or bytes(self._buffer[: self._head_octets])
        return Frame(head, self._dropped + len(self._buffer)) if head else None

    @property
    def wanted_octets(self) -> int:
        """Memory that the message being received may need; its length comes with its end."""
        small = self.pending_octets <= self.kept_head_octets
        return self.pending_octets if small else self.max_message_octets

    def _hand_over(self, end: int, next_start: int, frames: list[Frame]) -> None:
        """Takes the message up to ``end``; empty ones (bare trailers) are no messages."""
        length = self._dropped + end
        if length:
            octets = self._head or bytes(memoryview(self._buffer)[:end])
            if length > self.max_message_octets:
                octets = octets[: self._head_octets]
            frames.append(Frame(octets, length))
        del self._buffer[:next_start]
        self._scanned, self._head, self._dropped = 0, b"", 0

    @property
    def _head_octets(self) -> int:
        return min(self.kept_head_octets, self.max_message_octets)

    def _drain(self) -> None:
        """Keeps the head only, once the message is longer than the limit."""
        if self._dropped + self._scanned <= self.max_message_octets:
            return
        if not self._dropped:
            self._head = bytes(memoryview(self._buffer)[: self._head_octets])
        self._dropped += self._scanned
        del self._buffer[: self._scanned]
        self._scanned = 0
