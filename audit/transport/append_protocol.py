"""The octets that pass through the append socket, both ways. Sans I/O.

Request: ``u32 length``, then ``u8 version``, ``u8 n`` and n octets of the listener's name,
``u16 n`` and n octets of the peer's, then the message. Answer: ``u32 length``, then
``u8 status`` and, for status 0, ``u64 sequence``, else words. All numbers big-endian, all text
UTF-8.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from audit.errors import FrameError

VERSION = 1
LENGTH = struct.Struct(">I")
OVERHEAD_OCTETS = 1 + 1 + 255 + 2 + 65535
"""What a request may hold besides the message."""
MAX_ANSWER_OCTETS = 4096
_SEQUENCE = struct.Struct(">BQ")
_PEER_LENGTH = struct.Struct(">H")


class Status(IntEnum):
    """How an append ended."""

    DURABLE = 0
    UNAVAILABLE = 1
    BUSY = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Request:
    """A message to append, and by whom and how it came."""

    raw: bytes
    listener: str
    peer: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The sequence of a durable record, or why there is none."""

    status: Status
    sequence: int = 0
    words: str = ""


def encode_request(request: Request) -> bytes:
    """The request with its length in front.

    Raises:
        ValueError: the listener's or the peer's name is too long.
    """
    listener, peer = request.listener.encode(), request.peer.encode()
    if len(listener) > 255 or len(peer) > 65535:  # noqa: PLR2004 - one and two octets of length
        raise ValueError("listener or peer too long")
    head = bytes((VERSION, len(listener))) + listener + _PEER_LENGTH.pack(len(peer)) + peer
    return LENGTH.pack(len(head) + len(request.raw)) + head + request.raw


def decode_request(body: bytes) -> Request:
    """The request whose length was taken off.

    Raises:
        FrameError: it is of another version, or cut.
    """
    try:
        version, listener_length = body[0], body[1]
        place = 2 + listener_length
        (peer_length,) = _PEER_LENGTH.unpack_from(body, place)
        listener = body[2:place].decode()
        peer_end = place + _PEER_LENGTH.size + peer_length
        peer = body[place + _PEER_LENGTH.size : peer_end].decode()
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise FrameError("malformed append request") from error
    if version != VERSION or peer_end > len(body):
        raise FrameError(f"append request of version {version}, expected {VERSION}, or cut")
    return Request(body[peer_end:], listener, peer)


def encode_answer(answer: Answer) -> bytes:
    """The answer with its length in front."""
    if answer.status is Status.DURABLE:
        body = _SEQUENCE.pack(answer.status, answer.sequence)
    else:
        words = answer.words.encode()[: MAX_ANSWER_OCTETS - 1]
        body = bytes((answer.status,)) + words
    return LENGTH.pack(len(body)) + body


def decode_answer(body: bytes) -> Answer:
    """The answer whose length was taken off.

    Raises:
        FrameError: it can't be read.
    """
    try:
        status = Status(body[0])
        if status is Status.DURABLE:
            return Answer(status, _SEQUENCE.unpack(body)[1])
    except (IndexError, ValueError, struct.error) as error:
        raise FrameError("malformed answer from the append socket") from error
    return Answer(status, words=body[1:].decode("utf-8", "replace"))
