import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import FrameError
from audit.frame.octet_counting import encode
from audit.query.message_stream import StreamLimits, stream_messages

SMALL = StreamLimits(chunk_octets=7, max_message_octets=100, max_document_octets=60)
bodies = st.lists(st.binary(min_size=1, max_size=30).map(lambda b: b"<85>1 " + b.hex().encode()))


def cut(octets: bytes, limits: StreamLimits = SMALL) -> list[bytes]:
    return [message.raw for message in stream_messages(io.BytesIO(octets), limits)]


@given(bodies, st.integers(16, 40))
def test_syslog_is_cut_the_same_however_it_is_read(messages: list[bytes], chunk: int) -> None:
    limits = StreamLimits(chunk_octets=chunk)
    assert cut(b"".join(encode(message) for message in messages), limits) == messages
    assert cut(b"\n".join(messages) + b"\n", limits) == messages


def test_documents_are_told_apart() -> None:
    assert cut(b"<AuditMessage/>\n<AuditMessage/>") == [b"<AuditMessage/>\n<AuditMessage/>"]
    one = b"<AuditMessage></AuditMessage>"
    assert cut(one + b"\n" + one) == [one, one]
    assert cut(b'{"a":1}\n{"b":2}\n') == [b'{"a":1}', b'{"b":2}']


@pytest.mark.parametrize("octets", [b"", b" \n"])
def test_nothing_holds_no_message(octets: bytes) -> None:
    assert cut(octets) == []


def test_messages_are_numbered_and_a_long_one_is_told_by_its_length() -> None:
    octets = encode(b"<85>1 a") + encode(b"<85>1 " + b"x" * 200) + encode(b"<85>1 b")
    limits = StreamLimits(chunk_octets=64, max_message_octets=100)
    found = list(stream_messages(io.BytesIO(octets), limits))
    assert [message.number for message in found] == [1, 2, 3]
    assert [message.original_length for message in found] == [7, 206, 7]


def test_a_long_document_is_refused_with_what_to_do() -> None:
    with pytest.raises(FrameError, match="cut it into several files"):
        cut(b"<AuditMessage>" + b"x" * 60)


def test_what_was_whole_is_given_before_a_stream_breaks() -> None:
    stream = stream_messages(io.BytesIO(encode(b"<85>1 a") + b"17 <85>"), StreamLimits())
    assert next(stream).raw == b"<85>1 a"
    with pytest.raises(FrameError, match="ended after 4 of 17 octets"):
        next(stream)
