"""Puts the certificates of a timestamp into DER's order, which many authorities don't keep; pure.

They are a SET OF in a part of the answer that no signature covers (RFC 5652 5.1), so their order
carries nothing; a strict reader still refuses another one. Only a reader gets the changed octets:
what is kept is what came.
"""

from typing import NamedTuple

_SEQUENCE = 0x30
_CONTEXT_0 = 0xA0
_LONG_LENGTH = 0x80
_MOST_LENGTH_OCTETS = 4


class _Value(NamedTuple):
    """One element: its tag, where it begins, where its content begins and where it ends."""

    tag: int
    start: int
    content: int
    end: int


def with_sorted_certificates(answer: bytes) -> bytes:
    """The answer with its certificates in order; unchanged when it isn't as expected."""
    try:
        certificates = _certificates(answer)
        parts = [answer[one.start : one.end] for one in _inside(answer, certificates)]
    except (ValueError, IndexError):
        return answer
    return answer[: certificates.content] + b"".join(sorted(parts)) + answer[certificates.end :]


def _certificates(octets: bytes) -> _Value:
    """TimeStampResp → timeStampToken → [0] content → SignedData → [0] certificates."""
    response = _expect(_SEQUENCE, _value(octets, 0, len(octets)))
    token = _expect(_SEQUENCE, _inside(octets, response)[1])
    content = _expect(_CONTEXT_0, _inside(octets, token)[1])
    signed = _expect(_SEQUENCE, _inside(octets, content)[0])
    return next(_expect(_CONTEXT_0, one) for one in _inside(octets, signed)[3:4])


def _expect(tag: int, value: _Value) -> _Value:
    if value.tag != tag:
        raise ValueError("another element was expected")
    return value


def _inside(octets: bytes, outer: _Value) -> list[_Value]:
    found = []
    place = outer.content
    while place < outer.end:
        found.append(_value(octets, place, outer.end))
        place = found[-1].end
    return found


def _value(octets: bytes, start: int, limit: int) -> _Value:
    first = octets[start + 1]
    content, length = start + 2, first
    if first >= _LONG_LENGTH:
        count = first - _LONG_LENGTH
        if not 0 < count <= _MOST_LENGTH_OCTETS:
            raise ValueError("a length of no usable form")
        content += count
        length = int.from_bytes(octets[start + 2 : content])
    if content + length > limit:
        raise ValueError("an element is longer than what it is in")
    return _Value(octets[start], start, content, content + length)
