import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import FrameError
from audit.transport.append_protocol import (
    LENGTH,
    MAX_ANSWER_OCTETS,
    MAX_BATCH,
    Answer,
    Request,
    Status,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)

raws = st.lists(st.binary(max_size=40), min_size=1, max_size=5).map(tuple)
names = st.text(max_size=20)


@given(raws, names, names)
def test_a_request_comes_out_as_it_went_in(
    raws: tuple[bytes, ...], listener: str, peer: str
) -> None:
    request = Request(raws, listener, peer)
    octets = encode_request(request)
    assert LENGTH.unpack_from(octets) == (len(octets) - LENGTH.size,)
    assert decode_request(octets[LENGTH.size :]) == request


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=MAX_BATCH).map(tuple))
def test_an_answer_comes_out_as_it_went_in(sequences: tuple[int, ...]) -> None:
    octets = encode_answer(Answer(Status.DURABLE, sequences))
    assert len(octets) <= MAX_ANSWER_OCTETS
    assert decode_answer(octets[LENGTH.size :]) == Answer(Status.DURABLE, sequences)


@given(st.binary(max_size=60))
def test_no_octets_break_the_decoders(octets: bytes) -> None:
    for decode in (decode_request, decode_answer):
        try:
            decode(octets)
        except FrameError:
            continue


@given(raws, st.data())
def test_a_cut_batch_is_refused(raws: tuple[bytes, ...], data: st.DataObject) -> None:
    octets = encode_request(Request((*raws, b"last"), "import", ""))[LENGTH.size :]
    cut = data.draw(st.integers(1, 3))
    with pytest.raises(FrameError, match="cut"):
        decode_request(octets[:-cut])


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
def test_a_request_holds_a_bounded_number_of_messages(count: int) -> None:
    with pytest.raises(ValueError, match="allowed are 1 to 256"):
        encode_request(Request((b"x",) * count, "import", ""))


def test_a_foreign_batch_of_too_many_is_refused() -> None:
    whole = encode_request(Request((b"",) * MAX_BATCH, "", ""))[LENGTH.size :]
    with pytest.raises(FrameError, match="more than 256"):
        decode_request(whole + LENGTH.pack(0))
