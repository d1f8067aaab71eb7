"""Octet counting: ``MSG-LEN SP SYSLOG-MSG`` (RFC 5425 4.3, RFC 6587 3.4.1), sans I/O."""

import re
from dataclasses import dataclass, field

from audit.errors import FrameError

DEFAULT_MAX_MESSAGE_OCTETS = 16 * 1024 * 1024
"""A message up to this length is kept whole (DICOM PS3.15 A.6 asks for 32 KiB at least)."""

DEFAULT_KEPT_HEAD_OCTETS = 64 * 1024
"""Of a longer message this many first octets are kept."""

DEFAULT_MAX_LENGTH_DIGITS = 10
"""A MSG-LEN with more digits is a lie (10 digits: up to 10 GB) and ends the stream."""

_LENGTH = re.compile(rb"([1-9][0-9]*) ")
_BEGUN_LENGTH = re.compile(rb"[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as cut from a stream.

    Attributes:
        octets: the whole message, or its head where the message was longer than the limit.
        original_length: octets the sender sent for this message.
    """

    octets: bytes
    original_length: int

    @property
    def truncated(self) -> bool:
        """Whether only the head was kept."""
        return len(self.octets) < self.original_length


def encode(message: bytes) -> bytes:
    """The message as one octet-counted frame (RFC 5425 4.3)."""
    return b"%d %b" % (len(message), message)


@dataclass(slots=True)
class OctetCountingDecoder:
    """Cuts an octet-counted stream into frames; any split of the stream gives the same frames.

    A message longer than ``max_message_octets`` is given as its first ``kept_head_octets`` once
    all of it has passed; the stream goes on behind it. Never holds more than
    ``max_message_octets`` and one chunk.
    """

    max_message_octets: int = DEFAULT_MAX_MESSAGE_OCTETS
    kept_head_octets: int = DEFAULT_KEPT_HEAD_OCTETS
    max_length_digits: int = DEFAULT_MAX_LENGTH_DIGITS
    fault: FrameError | None = field(default=None, init=False)
    _buffer: bytearray = field(default_factory=bytearray, init=False)
    _declared: int = field(default=0, init=False)
    _skip: int = field(default=0, init=False)
    _head: bytes = field(default=b"", init=False)

    def feed(self, data: bytes) -> list[Frame]:
        """Every message that ends in these octets, in order.

        Raises:
            FrameError: the stream can't be cut further and no frame was left to hand over;
                close the connection. ``fault`` tells it at once, ``feed`` after the last frame.
        """
        frames: list[Frame] = []
        if self.fault is None:
            self._buffer += data
            self._cut(frames)
        if self.fault is not None and not frames:
            raise self.fault
        return frames

    def finish(self) -> list[Frame]:
        """Ends the stream; an empty list when it ended between two messages.

        Raises:
            FrameError: the stream ended inside a message.
        """
        if self.fault is None and (self._buffer or self._declared):
            self.fault = FrameError(self._unfinished())
        if self.fault is not None:
            raise self.fault
        return []

    @property
    def pending_octets(self) -> int:
        """Octets held of a message that is not complete yet."""
        return len(self._buffer) + len(self._head)

    @property
    def inside_message(self) -> bool:
        """Whether a message has begun and is not complete."""
        return bool(self._buffer or self._declared)

    @property
    def remainder(self) -> Frame | None:
        """What is held of the message that a broken stream ended in; at most its head.

        Its length is the announced one, or that of what is held where none could be read.
        """
        head = self._head or bytes(
            self._buffer[: min(self.kept_head_octets, self.max_message_octets)]
        )
        return Frame(head, self._declared or len(self._buffer)) if head else None

    @property
    def wanted_octets(self) -> int:
        """Memory that the message being received will need, 0 between two messages."""
        if self._skip:
            return len(self._head)
        return self._declared if self._declared <= self.max_message_octets else 0

    def _unfinished(self) -> str:
        if not self._declared:
            return "the stream ended inside MSG-LEN (RFC 5425 4.3)"
        got = self._declared - self._skip if self._skip else len(self._buffer)
        return f"the stream ended after {got} of {self._declared} octets of a message"

    def _cut(self, frames: list[Frame]) -> None:
        """Moves complete messages from the buffer to ``frames``; stops at a fault."""
        buffer = self._buffer
        position = 0
        while self.fault is None:
            if not self._declared:
                position = self._read_length(position)
                if not self._declared:
                    break
            if not self._skip and self._declared > self.max_message_octets:
                if not self._begin_draining(position):
                    break
                position += len(self._head)
            end = position + (self._skip or self._declared)
            if end > len(buffer):
                break
            frames.append(self._take(position, end))
            position = end
        self._drop(position)

    def _take(self, start: int, end: int) -> Frame:
        octets = self._head if self._skip else bytes(memoryview(self._buffer)[start:end])
        frame = Frame(octets, self._declared)
        self._declared, self._skip, self._head = 0, 0, b""
        return frame

    def _drop(self, position: int) -> None:
        """Forgets what was handed over, and what of an oversized message isn't kept."""
        if self._skip:
            rest = len(self._buffer) - position
            self._skip -= rest
            position = len(self._buffer)
        del self._buffer[:position]

    def _begin_draining(self, position: int) -> bool:
        head_octets = min(self.kept_head_octets, self.max_message_octets)
        if len(self._buffer) - position < head_octets:
            return False
        self._head = bytes(memoryview(self._buffer)[position : position + head_octets])
        self._skip = self._declared - head_octets
        return True

    def _read_length(self, position: int) -> int:
        """Sets ``_declared`` when MSG-LEN and its space are there; gives the place behind them."""
        stop = position + self.max_length_digits + 1
        match = _LENGTH.match(self._buffer, position, stop)
        if match:
            self._declared = int(match[1])
            return match.end()
        begun = _BEGUN_LENGTH.match(self._buffer, position, stop)
        end = begun.end() if begun else position
        if end < len(self._buffer) or end == stop:
            self._refuse(bytes(memoryview(self._buffer)[position : end + 1]))
        return position

    def _refuse(self, found: bytes) -> None:
        self.fault = FrameError(
            "expected MSG-LEN, a decimal number of at most "
            f"{self.max_length_digits} digits not beginning with 0, and a space "
            f"(RFC 5425 4.3), found {found!r}"
        )
