"""Texts of strangers and times, made safe and plain to read.

Every value that came in a message goes through ``shown``: isolated against text direction, and
with control, direction and invisible characters written out.
"""

import re
from datetime import UTC, datetime, tzinfo

from markupsafe import Markup, escape

NS_PER_S = 1_000_000_000

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
"""C0, C1, direction, zero-width, variation, tag and non-characters, and lone surrogates."""

_LAYOUT = frozenset("\n\t")


def escaped_character(character: str) -> str:
    """The written form of a character: a backslash and its code point in hexadecimal."""
    point = ord(character)
    if point <= 0xFF:  # noqa: PLR2004 - one octet
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - the BMP


def _marked(match: re.Match[str]) -> str:
    return Markup('<span class="escape">{}</span>').format(escaped_character(match.group()))


def visible(text: object, *, keep_layout: bool = False) -> Markup:
    """The text with hidden characters written out; ``keep_layout`` leaves new lines and tabs."""

    def replace(match: re.Match[str]) -> str:
        return match.group() if keep_layout and match.group() in _LAYOUT else _marked(match)

    return Markup(_HIDDEN.sub(replace, str(escape(str(text)))))  # noqa: S704 - escaped just here


def shown(text: object) -> Markup:
    """A stranger's text: visible, and unable to turn the direction of what stands around it."""
    return Markup("<bdi>{}</bdi>").format(visible(text))


def begun(text: str) -> str:
    """The text with its first letter large, as a sentence begins."""
    return text[:1].upper() + text[1:]


def ended(text: str) -> str:
    """The text with a full stop, unless it ends as a sentence does."""
    return text if text.rstrip("\"')").endswith((".", "?", "!", "…")) else f"{text}."


def _offset(moment: datetime) -> str:
    offset = moment.strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"


def moment_of(ns: int, zone: tzinfo) -> datetime:
    """UTC nanoseconds as an aware datetime; beyond what a datetime holds, the nearest it does."""
    limit_s = 253_370_764_800  # the year 9999, less a day for any zone
    seconds = max(-62_135_510_400, min(ns // NS_PER_S, limit_s))
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone)


def zoned(ns: int, zone: tzinfo) -> str:
    """``2026-07-03 14:02:11 +02:00``."""
    moment = moment_of(ns, zone)
    return f"{moment.isoformat(sep=' ', timespec='seconds')[:19]} {_offset(moment)}"


def machine_time(ns: int) -> str:
    """RFC 3339 in UTC to the millisecond, for ``datetime`` attributes and tool tips."""
    moment = moment_of(ns, UTC)
    return f"{moment.isoformat(timespec='seconds')[:19]}.{ns % NS_PER_S // 1_000_000:03d}Z"


def number(value: int) -> str:
    """Digits grouped by thin spaces: ``12 345``."""
    return f"{value:,}".replace(",", "\u202f")


def octets(value: int) -> str:
    """A size in words: ``812 octets``, ``3.4 KiB``."""
    if value < 1024:  # noqa: PLR2004 - one KiB
        return f"{value} octets"
    size, units = value / 1024, iter(("KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while size >= 1024 and unit != "TiB":  # noqa: PLR2004 - the next unit
        size, unit = size / 1024, next(units)
    return f"{size:.1f} {unit}"
