"""DICOM data set octets → (keyword, value) pairs, for small identifiers from strangers.

Reads implicit and explicit VR, little and big endian, deflated within bounds. Every length is
checked against what is there, tags must rise, and elements, depth and text are bounded, so that
no input costs more than its own size.

Source: DICOM PS3.5 clauses 7.1 to 7.5, 6.2, A.5.
"""

import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
DEFLATED_LE = "1.2.840.10008.1.2.1.99"

_LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
_SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN"}
    | {b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)
_VRS = _LONG_VRS | _SHORT_VRS
_NUMBERS = {
    "FD": "d",
    "FL": "f",
    "SL": "i",
    "SS": "h",
    "SV": "q",
    "UL": "I",
    "US": "H",
    "UV": "Q",
}
_CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_DELIMITERS = {ord(c) for c in "\\^="}
_BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_CHARACTER_SET = 0x00080005
_MAX_CHARSET_CHARACTERS = 512
_TRANSFER_SYNTAX = 0x00020010


class NoDataSet(Exception):
    """The octets are no data set that may be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetLimits:
    """Bounds on one data set; beyond them nothing of it is read.

    Attributes:
        max_octets: of the encoded data set.
        max_inflated_octets: of a deflated one, unpacked.
        max_elements: of all levels together.
        max_depth: of sequences in sequences.
        max_value_characters: shown of one value; the rest is cut off with an ellipsis.
    """

    max_octets: int = 64 * 1024
    max_inflated_octets: int = 256 * 1024
    max_elements: int = 500
    max_depth: int = 8
    max_value_characters: int = 1024


DEFAULT_LIMITS = DataSetLimits()


class _Element(NamedTuple):
    tag: int
    vr: str
    start: int
    length: int


class _Reader:
    """Cuts octets into elements; knows nothing of their meaning but VR and length."""

    def __init__(self, octets: bytes, limits: DataSetLimits, *, implicit: bool, big: bool) -> None:
        self.octets = octets
        self.limits = limits
        self.implicit = implicit
        self.order = ">" if big else "<"
        self._elements = 0
        self._tag = struct.Struct(f"{self.order}HH")
        self._long = struct.Struct(f"{self.order}I")
        self._short = struct.Struct(f"{self.order}H")

    def unpack(self, layout: struct.Struct, at: int) -> tuple[Any, ...]:
        if at + layout.size > len(self.octets):
            raise NoDataSet("the data set ends in the middle of an element")
        return layout.unpack_from(self.octets, at)

    def tag(self, at: int) -> int:
        group, element = self.unpack(self._tag, at)
        return int(group) << 16 | int(element)

    def long(self, at: int) -> int:
        return int(self.unpack(self._long, at)[0])

    def element(self, at: int, vr_of: Callable[[int], str]) -> _Element:
        self._elements += 1
        if self._elements > self.limits.max_elements:
            raise NoDataSet(f"more than {self.limits.max_elements} elements")
        tag = self.tag(at)
        if self.implicit or tag >> 16 == 0xFFFE:  # noqa: PLR2004 - items have no VR
            return _Element(tag, vr_of(tag), at + 8, self.long(at + 4))
        vr = self.octets[at + 4 : at + 6]
        if vr in _LONG_VRS:
            return _Element(tag, vr.decode("ascii"), at + 12, self.long(at + 8))
        if vr not in _SHORT_VRS:
            raise NoDataSet(f"no value representation at octet {at + 4}")
        return _Element(tag, vr.decode("ascii"), at + 8, int(self.unpack(self._short, at + 6)[0]))

    def value(self, element: _Element, end: int) -> bytes:
        if element.start + element.length > end:
            raise NoDataSet("an element is longer than the data set")
        return self.octets[element.start : element.start + element.length]


@lru_cache(maxsize=1024)
def _vr_of(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    try:
        return str(dictionary_VR(tag))[:2]
    except KeyError:
        return "UN"


@lru_cache(maxsize=1024)
def _keyword(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@lru_cache(maxsize=64)
def _encodings_of(names: str) -> tuple[str, ...]:
    """Python's names of the encodings that a SpecificCharacterSet names; Latin-1 if it's odd."""
    from pydicom.charset import convert_encodings, python_encoding

    listed = names.split("\\")
    if not all(name.strip() in python_encoding for name in listed):
        return ("iso8859",)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return tuple(convert_encodings(listed))
        except (LookupError, ValueError):
            return ("iso8859",)


class _Decoder:
    """Elements → readable pairs."""

    def __init__(self, reader: _Reader) -> None:
        from pydicom import charset

        self._reader = reader
        self._charset = charset
        self._encodings: list[str] = ["iso8859"]
        self.pairs: list[tuple[str, str]] = []

    def data_set(
        self, at: int, end: int, depth: int, prefix: str = "", *, item: bool = False
    ) -> int:
        """Read elements up to ``end``, or to the end of an item of undefined length."""
        last = -1
        while at < end:
            element = self._reader.element(at, _vr_of)
            if item and element.tag == _ITEM_END:
                return element.start
            if element.tag <= last:
                raise NoDataSet("tags do not rise")
            last = element.tag
            name = prefix + _keyword(element.tag)
            if element.vr == "SQ" or element.length == _UNDEFINED:
                at = self._sequence(element, end, depth + 1, name)
            else:
                at = self._plain(element, end, name)
        if item:
            raise NoDataSet("an item does not end")
        return at

    def _plain(self, element: _Element, end: int, name: str) -> int:
        octets = self._reader.value(element, end)
        if element.tag == _CHARACTER_SET:
            self._use_charset(octets)
        if element.tag & 0xFFFF:
            self.pairs.append((name, self._shown(octets, element.vr)))
        return element.start + element.length

    def _sequence(self, sequence: _Element, end: int, depth: int, name: str) -> int:
        """Read all items; where the next element begins."""
        if depth > self._reader.limits.max_depth:
            raise NoDataSet(f"nested deeper than {self._reader.limits.max_depth}")
        at, before = sequence.start, len(self.pairs)
        is_open = sequence.length == _UNDEFINED
        if not is_open:
            self._reader.value(sequence, end)
            end = at + sequence.length
        while at < end:
            item = self._reader.element(at, _vr_of)
            at = item.start
            if is_open and item.tag == _SEQUENCE_END:
                break
            at = self._item(item, end, depth, f"{name}.")
        else:
            if is_open:
                raise NoDataSet("a sequence does not end")
        if len(self.pairs) == before:
            self.pairs.append((name, ""))
        return at

    def _item(self, item: _Element, end: int, depth: int, prefix: str) -> int:
        if item.tag != _ITEM:
            raise NoDataSet("something else than an item in a sequence")
        if item.length == _UNDEFINED:
            return self.data_set(item.start, end, depth, prefix, item=True)
        self._reader.value(item, end)
        return self.data_set(item.start, item.start + item.length, depth, prefix)

    def _use_charset(self, octets: bytes) -> None:
        names = octets.decode("ascii", errors="replace").strip(" \x00")
        self._encodings = list(_encodings_of(names[:_MAX_CHARSET_CHARACTERS]))

    def _shown(self, octets: bytes, vr: str) -> str:
        most = self._reader.limits.max_value_characters
        text = self._text(octets[: most * 4], vr)
        return text if len(text) <= most else text[: most - 1] + "…"

    def _text(self, octets: bytes, vr: str) -> str:
        if vr in _NUMBERS:
            return self._numbers(octets, _NUMBERS[vr])
        if vr == "AT":
            return self._tags(octets)
        if vr in _BINARY_VRS:
            return octets.hex(" ")
        text = self._decoded(octets, vr).rstrip(" \x00")
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else "\ufffd" for c in text)

    def _numbers(self, octets: bytes, layout: str) -> str:
        one = struct.Struct(self._reader.order + layout)
        whole = len(octets) - len(octets) % one.size
        return "\\".join(str(value) for (value,) in one.iter_unpack(octets[:whole]))

    def _tags(self, octets: bytes) -> str:
        pairs = struct.Struct(self._reader.order + "HH")
        whole = len(octets) - len(octets) % pairs.size
        named = pairs.iter_unpack(octets[:whole])
        return "\\".join(f"({group:04X},{element:04X})" for group, element in named)

    def _decoded(self, octets: bytes, vr: str) -> str:
        if vr not in _CHARSET_VRS:
            return octets.decode("utf-8" if vr == "UN" else "latin-1", errors="replace")
        try:
            if len(self._encodings) == 1:
                return octets.decode(self._encodings[0], errors="replace")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return str(self._charset.decode_bytes(octets, self._encodings, _DELIMITERS))
        except (LookupError, UnicodeError, ValueError):
            return octets.decode("latin-1")


def decode_data_set(
    octets: bytes, transfer_syntax: str, limits: DataSetLimits = DEFAULT_LIMITS
) -> tuple[tuple[str, str], ...]:
    """The elements of a data set as (keyword, value) pairs, nested ones as ``Sequence.Keyword``.

    Args:
        octets: the encoded data set; a DICOM file with its meta information will do as well.
        transfer_syntax: UID; empty to guess between implicit and explicit little endian.
        limits: bounds.

    Raises:
        NoDataSet: it can't be read, or is larger than the limits.
    """
    if len(octets) > limits.max_octets:
        raise NoDataSet(f"longer than {limits.max_octets} octets")
    if octets[128:132] == b"DICM":
        octets, transfer_syntax = _without_meta(octets[132:], limits)
    if transfer_syntax == DEFLATED_LE:
        octets = _inflated(octets, limits.max_inflated_octets)
    implicit = _is_implicit(octets) if not transfer_syntax else transfer_syntax == IMPLICIT_LE
    reader = _Reader(octets, limits, implicit=implicit, big=transfer_syntax == EXPLICIT_BE)
    decoder = _Decoder(reader)
    decoder.data_set(0, len(octets), 0)
    return tuple(decoder.pairs)


def looks_like_data_set(
    octets: bytes, transfer_syntax: str, limits: DataSetLimits = DEFAULT_LIMITS
) -> bool:
    """Whether tags rise and lengths fit: a quick look that reads no value and no sequence."""
    if len(octets) > limits.max_octets or transfer_syntax == DEFLATED_LE:
        return len(octets) <= limits.max_octets
    if octets[128:132] == b"DICM":
        return True
    implicit = _is_implicit(octets) if not transfer_syntax else transfer_syntax == IMPLICIT_LE
    reader = _Reader(octets, limits, implicit=implicit, big=transfer_syntax == EXPLICIT_BE)
    at, last = 0, -1
    try:
        while at < len(octets):
            element = reader.element(at, lambda _: "UN")
            if element.tag <= last:
                return False
            if element.length == _UNDEFINED:
                return True
            last, at = element.tag, element.start + len(reader.value(element, len(octets)))
    except NoDataSet:
        return False
    return True


def _is_implicit(octets: bytes) -> bool:
    return octets[4:6] not in _VRS


def _without_meta(octets: bytes, limits: DataSetLimits) -> tuple[bytes, str]:
    """Cut off the file meta information, which is explicit VR little endian (PS3.10 7.1)."""
    reader = _Reader(octets, limits, implicit=False, big=False)
    at, syntax = 0, ""
    while at < len(octets) and reader.tag(at) >> 16 == 2:  # noqa: PLR2004 - group 2 is the meta
        element = reader.element(at, lambda _: "UN")
        if element.tag == _TRANSFER_SYNTAX:
            syntax = reader.value(element, len(octets)).decode("ascii", "replace").strip(" \x00")
        at = element.start + len(reader.value(element, len(octets)))
    return octets[at:], syntax


def _inflated(octets: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        inflated = unpacker.decompress(octets, most)
    except zlib.error as fault:
        raise NoDataSet(f"can't be inflated: {fault}") from None
    if unpacker.unconsumed_tail:
        raise NoDataSet(f"inflates to more than {most} octets")
    return inflated
