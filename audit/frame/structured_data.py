"""STRUCTURED-DATA (RFC 5424 6.3): where it ends, and what it holds."""

import re

NIL = "-"

_NAME = rb'[^\x00-\x20="\]\x7f-\xff]{1,32}'
_VALUE = rb'"(?:[^"\\\]]++|\\[\x00-\xff])*+"'
_ELEMENT = rb"\[%b(?: %b=%b)*+\]" % (_NAME, _NAME, _VALUE)
_WELL_FORMED = re.compile(rb"(?:-|(?:%b)++)(?= |\Z)" % _ELEMENT)
_ELEMENT_PARTS = re.compile(rb"\[(%b)((?: %b=%b)*+)\]" % (_NAME, _NAME, _VALUE))
_PARAMETER_PARTS = re.compile(rb' (%b)="((?:[^"\\\]]++|\\[\x00-\xff])*+)"' % _NAME)
_ESCAPE = re.compile(r'\\(["\\\]])')
_BEFORE_MSG = re.compile(rb"\] ?(?=(?:\xef\xbb\xbf)?<)")


def end_of_structured_data(raw: bytes, start: int) -> tuple[int, bool]:
    """Where STRUCTURED-DATA ends that begins at ``start``, and whether it is well formed.

    Malformed, it is taken to end at the ``]`` in front of the first ``<``, else at the first
    space, so that MSG is found all the same; what begins like no STRUCTURED-DATA is MSG.
    """
    well_formed = _WELL_FORMED.match(raw, start)
    if well_formed:
        return well_formed.end(), True
    if not raw.startswith(b"[", start):
        return start + raw.startswith(b"-", start), False
    guess = _BEFORE_MSG.search(raw, start)
    if guess:
        return guess.start() + 1, False
    space = raw.find(b" ", start)
    return (len(raw) if space < 0 else space), False


def parse_structured_data(text: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    r"""The elements as ``(id, ((name, value), …))``, with ``\"``, ``\\`` and ``\]`` undone.

    A backslash in front of anything else stands for itself (RFC 5424 6.3.3). Nil and malformed
    text give what can be read, possibly nothing.
    """
    octets = text.encode("utf-8", "surrogatepass")
    return tuple(
        (
            element[1].decode("ascii"),
            tuple(
                (name.decode("ascii"), _ESCAPE.sub(r"\1", value.decode("utf-8", "replace")))
                for name, value in _PARAMETER_PARTS.findall(element[2])
            ),
        )
        for element in _ELEMENT_PARTS.finditer(octets)
    )
