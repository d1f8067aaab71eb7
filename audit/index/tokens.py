r"""Tokens: what stands in the inverted index for one record. Pure.

Every searchable fact of a record is one token of one FTS5 column (docs/index-format.md):

    word            a word of the free text
    field:value     a keyword field holds this folded value
    !field:         a field that nearly every record has holds nothing
    ?field:         any other field holds something
    :all            every record
    :ip4:0a000001   an address is this one, in hexadecimal (``:ip6:`` with 32 digits)

Words never hold a colon, so the kinds can't be taken for each other. ``\x01`` parts tokens; the
characters ``\x00`` to ``\x02`` are escaped with ``\x02`` so that order by octets stays order by
code points.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from audit.index.criteria import fold, words_of
from audit.index.document import IndexedRecord
from audit.index.memo import Memo
from audit.standards.fields import fields_of

SEPARATOR: Final = "\x01"
HASHED: Final = "\x02#"
ALL: Final = ":all"
NONE: Final = ":none"
"""Stands in no record."""

LONGEST_VALUE: Final = 512
"""Characters of a value beyond which its head and its SHA-256 stand for it.

FTS5 cuts tokens at 32 KiB and Lucene refuses them there.
"""

LONGEST_WORD: Final = 90
"""Characters of a word, likewise: Lucene cuts words at 255 UTF-16 units."""

_REMEMBERED: Final = 65_536
"""Fields with their values, and texts, whose tokens are remembered: most come again and again."""

_REMEMBERED_CHARS: Final = 400
"""Characters of tokens up to which they are."""

_ADDRESS: Final = "address"

_FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z")
_ESCAPED: Final = re.compile(r"[\x00-\x02\ud800-\udfff]")


def _escape_one(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\x02{'abc'[code]}" if code < ord("\x03") else f"\x02s{code:04x}"


def escaped(text: str) -> str:
    """The text without the characters that part tokens; escapes keep the order of values."""
    if text.isascii() and text.isprintable():
        return text  # nothing of it is escaped, and this is told sooner
    return _ESCAPED.sub(_escape_one, text)


def unescaped(text: str) -> str:
    """Undo `escaped`."""
    if "\x02" not in text:
        return text
    return re.sub(
        "\x02(?:s([0-9a-f]{4})|([abc]))",
        lambda m: chr(int(m[1], 16)) if m[1] else chr("abc".index(m[2])),
        text,
    )


def shortened(value: str, longest: int = LONGEST_VALUE) -> str:
    """A folded value or word as it is indexed: itself, or head and SHA-256 when it is long."""
    if len(value) <= longest:
        return escaped(value)
    digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return escaped(value[:longest]) + HASHED + digest


def field_prefix(name: str) -> str:
    """What the tokens of a keyword field begin with.

    Raises:
        ValueError: that can't be the name of a field.
    """
    if not _FIELD_NAME.match(name):
        raise ValueError(f"{name!r} can't be the name of a field")
    return f"{name}:"


def key_token(name: str, value: str) -> str:
    """The token of one value of a keyword field; ``value`` isn't folded yet."""
    return field_prefix(name) + shortened(fold(value))


def indexed_value(name: str, value: str) -> str:
    """A value of a keyword field, not folded yet, as it is indexed without its field's name."""
    return key_token(name, value)[len(name) + 1 :]


def value_prefix_token(name: str, value: str) -> tuple[str, bool]:
    """What tokens of values that begin so begin with, and whether that is the whole truth."""
    folded = fold(value)
    return (
        field_prefix(name) + escaped(folded[:LONGEST_VALUE]),
        len(folded) <= LONGEST_VALUE,
    )


def word_tokens(text: str) -> Sequence[str]:
    """The tokens of the words of a text, in their order."""
    return tuple(
        word if len(word) <= LONGEST_WORD else shortened(word, LONGEST_WORD)
        for word in words_of(text)
    )


@cache
def _valued_fields() -> tuple[tuple[str, bool], ...]:
    return tuple((f.name, f.usual) for f in fields_of("keyword", "text"))


@cache
def usual_fields() -> frozenset[str]:
    """Fields whose absence is indexed, not their presence."""
    return frozenset(name for name, usual in _valued_fields() if usual)


@cache
def text_fields() -> frozenset[str]:
    """Fields that are searched by words."""
    return frozenset(f.name for f in fields_of("text"))


def presence_token(name: str) -> tuple[str, bool]:
    """The token that tells whether a field has a value, and whether it tells ``yes``."""
    usual = name in usual_fields()
    return ("!" if usual else "?") + field_prefix(name), not usual


@lru_cache(maxsize=16384)
def address_token(value: str) -> str | None:
    """The token of an IP address; None when the value isn't one."""
    try:
        address = ip_address(value.strip())
    except ValueError:
        return None
    return f":ip{address.version}:{int(address):0{address.max_prefixlen // 4}x}"


def network_prefixes(network: IPv4Network | IPv6Network) -> tuple[str, ...]:
    """What the tokens of the addresses inside a network begin with; at most eight."""
    digits = network.max_prefixlen // 4
    whole, rest = divmod(network.prefixlen, 4)
    start = f":ip{network.version}:"
    first = f"{int(network.network_address):0{digits}x}"
    if rest == 0:
        return (start + first[:whole],)
    nibble = int(first[whole], 16)
    return tuple(
        f"{start}{first[:whole]}{last:x}" for last in range(nibble, nibble + (1 << (4 - rest)))
    )


@lru_cache(maxsize=4096)
def _presence_text(present: tuple[str, ...]) -> str:
    known = dict(_valued_fields())
    missing = ("!" + field_prefix(name) for name in usual_fields().difference(present))
    there = ("?" + field_prefix(name) for name in present if not known.get(name))
    return SEPARATOR.join((ALL, *missing, *there))


def _is_short(tokens: str) -> bool:
    return len(tokens) <= _REMEMBERED_CHARS


def _word_text(text: str) -> str:
    return SEPARATOR.join(word_tokens(text))


_word_texts: Final = Memo(_word_text, _REMEMBERED, _is_short)


def _field_text(field: tuple[str, tuple[str, ...]]) -> str:
    """The tokens of one field, parted."""
    name, values = field
    if name in text_fields():
        return SEPARATOR.join(map(_word_texts.__getitem__, values))
    begin = field_prefix(name)
    made = [begin + shortened(fold(value)) for value in values]
    if name == _ADDRESS:
        made += filter(None, map(address_token, values))
    return SEPARATOR.join(made)


_field_texts: Final = Memo(_field_text, _REMEMBERED, _is_short)


def token_text(record: IndexedRecord) -> str:
    """Every token of a record, parted as the inverted index takes them; one may come twice.

    Between two of them there may be several separators.
    """
    fields = record.fields
    present = tuple(fields)
    if not all(fields.values()):
        present = tuple(name for name in present if fields[name])
    texts = map(_field_texts.__getitem__, fields.items())
    return SEPARATOR.join((_presence_text(present), *texts))


def tokens_of(record: IndexedRecord) -> set[str]:
    """Every token of a record."""
    return set(token_text(record).split(SEPARATOR)) - {""}
