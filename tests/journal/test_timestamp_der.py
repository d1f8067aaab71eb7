"""audit.journal.timestamp_der"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.journal.timestamp_der import with_sorted_certificates


def element(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 + len(length)]) + length + content


def answer(*certificates: bytes, tag: int = 0xA0) -> bytes:
    held = element(tag, b"".join(certificates))
    signed = element(0x30, b"\x02\x01\x03" + b"\x31\x00" + b"\x30\x00" + held + b"\x31\x00")
    token = element(0x30, b"\x06\x01\x2a" + element(0xA0, signed))
    return element(0x30, b"\x30\x03\x02\x01\x00" + token)


def test_certificates_come_into_order_and_nothing_else_changes() -> None:
    one, two = element(0x30, b"a" * 300), element(0x30, b"b" * 20)
    assert with_sorted_certificates(answer(one, two)) == answer(two, one)
    assert with_sorted_certificates(answer(two, one)) == answer(two, one)
    assert with_sorted_certificates(answer(one)) == answer(one)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80", answer(b"\x30\x05ab"),
     answer(b"\x30\x00", tag=0x31), answer()[:-3], b"\x30\x05\x30\x03\x02\x01\x02"],
)  # fmt: skip
def test_what_is_not_as_expected_stays_as_it_is(octets: bytes) -> None:
    assert with_sorted_certificates(octets) == octets


@given(st.binary(max_size=200))
def test_no_octets_break_it(octets: bytes) -> None:
    assert len(with_sorted_certificates(octets)) == len(octets)
    made = answer(octets)
    assert sorted(with_sorted_certificates(made)) == sorted(made)
