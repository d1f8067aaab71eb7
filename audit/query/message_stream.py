"""Files and pipes of any size → single messages, in memory that doesn't grow with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from audit.errors import FrameError
from audit.frame.non_transparent import NonTransparentDecoder
from audit.frame.octet_counting import Frame, OctetCountingDecoder
from audit.query.message_sources import is_octet_counted, is_syslog, messages_of


class Readable(Protocol):
    """An open binary file."""

    def read(self, count: int, /) -> bytes:
        """At most ``count`` octets, none at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How much is held of a stream.

    Attributes:
        chunk_octets: read at a time.
        max_message_octets: of a longer message only the head is held.
        max_document_octets: longest file without syslog messages in it, which is held as a whole.
    """

    chunk_octets: int = 1024 * 1024
    max_message_octets: int = 16 * 1024 * 1024
    max_document_octets: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StreamedMessage:
    """One message.

    Attributes:
        raw: its octets.
        number: its place in the stream, from one.
        original_length: more than ``len(raw)`` when it was too long to be held.
    """

    raw: bytes
    number: int
    original_length: int


def stream_messages(file: Readable, limits: StreamLimits) -> Iterator[StreamedMessage]:
    """Every message in order: octet-counted or one behind the other (syslog), XML or JSON.

    Raises:
        FrameError: the rest can't be cut into messages, or is too long to be held as a whole;
            every message before it was given.
    """
    first = file.read(limits.chunk_octets)
    chunks = chain((first,), iter(lambda: file.read(limits.chunk_octets), b""))
    if is_octet_counted(first):
        frames = _cut(OctetCountingDecoder(limits.max_message_octets), chunks)
    elif is_syslog(first):
        frames = _cut(NonTransparentDecoder(limits.max_message_octets), _begun(chunks))
    else:
        frames = _documents(chunks, limits.max_document_octets)
    for number, frame in enumerate(frames, start=1):
        yield StreamedMessage(frame.octets, number, frame.original_length)


def _cut(
    decoder: OctetCountingDecoder | NonTransparentDecoder, chunks: Iterator[bytes]
) -> Iterator[Frame]:
    for chunk in chunks:
        yield from decoder.feed(chunk)
    yield from decoder.finish()


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Without white space before the first message."""
    yield next(chunks).lstrip()
    yield from chunks


def _documents(chunks: Iterator[bytes], most: int) -> Iterator[Frame]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > most:
            raise FrameError(
                f"documents without syslog header are read as a whole, and this is longer than "
                f"{most} octets: cut it into several files"
            )
    if held.strip():
        for message in messages_of("", bytes(held)):
            yield Frame(message.raw, message.original_length)
