"""The octets that pass through the append socket, both ways. Sans I/O.

Request: ``u32 length``, then ``u8 version``, ``u8 n`` and n octets of the listener's name,
``u16 n`` and n octets of the peer's, then, in version 1, the message; in version 2 several
messages, ``u32 n`` and n octets each. Answer: ``u32 length``, then ``u8 status`` and, for status
0, ``u64 sequence`` of each message, else words. All numbers big-endian, all text UTF-8.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from audit.errors import FrameError

VERSION, BATCH_VERSION = 1, 2
LENGTH = struct.Struct(">I")
OVERHEAD_OCTETS = 1 + 1 + 255 + 2 + 65535
"""What a request may hold besides the message."""
MAX_ANSWER_OCTETS = 4096
MAX_BATCH = 256
"""Messages of one request."""
_PEER_LENGTH = struct.Struct(">H")


class Status(IntEnum):
    """How an append ended."""

    DURABLE = 0
    UNAVAILABLE = 1
    BUSY = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Request:
    """Messages to append in their order, and by whom and how they came."""

    raws: tuple[bytes, ...]
    listener: str
    peer: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The sequences of durable records, or why there are none."""

    status: Status
    sequences: tuple[int, ...] = ()
    words: str = ""


def encode_request(request: Request) -> bytes:
    """The request with its length in front.

    Raises:
        ValueError: the listener's or the peer's name is too long, or there are too many messages.
    """
    listener, peer, raws = request.listener.encode(), request.peer.encode(), request.raws
    if len(listener) > 255 or len(peer) > 65535:  # noqa: PLR2004 - one and two octets of length
        raise ValueError("listener or peer too long")
    if not 0 < len(raws) <= MAX_BATCH:
        raise ValueError(f"{len(raws)} messages in one request; allowed are 1 to {MAX_BATCH}")
    is_one = len(raws) == 1
    head = (
        bytes((VERSION if is_one else BATCH_VERSION, len(listener)))
        + listener
        + _PEER_LENGTH.pack(len(peer))
        + peer
    )
    body = raws[0] if is_one else b"".join(LENGTH.pack(len(raw)) + raw for raw in raws)
    return LENGTH.pack(len(head) + len(body)) + head + body


def decode_request(body: bytes) -> Request:
    """The request whose length was taken off.

    Raises:
        FrameError: it is of another version, or cut, or holds too many messages or none.
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
    if version not in {VERSION, BATCH_VERSION} or peer_end > len(body):
        raise FrameError(f"append request of version {version}, or cut")
    if version == VERSION:
        return Request((body[peer_end:],), listener, peer)
    return Request(tuple(_messages(body, peer_end)), listener, peer)


def _messages(body: bytes, place: int) -> list[bytes]:
    raws: list[bytes] = []
    while place < len(body) or not raws:
        end = place + LENGTH.size
        length = int.from_bytes(body[place:end])
        if end + length > len(body) or len(raws) == MAX_BATCH:
            raise FrameError(f"an append request is cut, or holds more than {MAX_BATCH} messages")
        raws.append(body[end : end + length])
        place = end + length
    return raws


def encode_answer(answer: Answer) -> bytes:
    """The answer with its length in front."""
    if answer.status is Status.DURABLE:
        numbers = answer.sequences
        body = struct.pack(f">B{len(numbers)}Q", answer.status, *numbers)
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
            count = max(1, (len(body) - 1) // 8)
            return Answer(status, struct.unpack(f">{count}Q", body[1:]))
    except (IndexError, ValueError, struct.error) as error:
        raise FrameError("malformed answer from the append socket") from error
    return Answer(status, words=body[1:].decode("utf-8", "replace"))
