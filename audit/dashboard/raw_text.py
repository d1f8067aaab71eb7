"""A raw message for the eye: XML laid out with its parts marked, and octets in hexadecimal.

Display only. It never fails and never corrects: what isn't well-formed is shown as it stands, and
the exact octets are a download away. Nothing is parsed by an XML parser here, so nothing expands.
"""

import codecs
import re
from collections.abc import Iterator

from markupsafe import Markup

from audit.dashboard.display import visible

_TOKEN = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<[^<>]*>|[^<]+|<", re.DOTALL)
_TAG = re.compile(r"(</?|<)([^\s/>]+)(.*?)(/?>)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""(\s+)([^\s=]+)(\s*=\s*)("[^"]*"|'[^']*')""")
_DEEPEST = 40
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ROW_OCTETS = 16


def decoded(octets: bytes) -> str:
    """The octets as text: by byte order mark, else UTF-8, undecodable octets as U+FFFD."""
    for mark, encoding in _BOMS:
        if octets.startswith(mark):
            return octets[len(mark) :].decode(encoding, "replace")
    return octets.decode("utf-8", "replace")


def _span(kind: str, text: str) -> Markup:
    return Markup('<span class="x-{}">{}</span>').format(kind, visible(text, keep_layout=True))


def _attributes(text: str) -> Markup:
    parts: list[Markup] = []
    end = 0
    for match in _ATTRIBUTE.finditer(text):
        parts.append(visible(text[end : match.start()]))
        space, name, equals, value = match.groups()
        parts += [visible(space), _span("name", name), visible(equals), _span("value", value)]
        end = match.end()
    return Markup("").join([*parts, visible(text[end:])])


def _tag(token: str) -> Markup:
    match = _TAG.fullmatch(token)
    if match is None:
        return _span("other", token)
    opening, name, inside, closing = match.groups()
    return Markup("").join(
        [_span("tag", opening + name), _attributes(inside), _span("tag", closing)]
    )


def _lines(text: str) -> Iterator[Markup]:
    depth = 0
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if len(piece) == 1 or not piece.startswith("<"):
            if piece.strip():
                yield _indented(depth, visible(piece.strip(), keep_layout=True))
            continue
        if piece.startswith(("<!", "<?")):
            yield _indented(depth, _span("other", piece))
            continue
        closes = piece.startswith("</")
        depth = max(0, depth - closes)
        yield _indented(depth, _tag(piece))
        depth += not closes and not piece.endswith("/>")


def _indented(depth: int, line: Markup) -> Markup:
    return Markup("{}{}").format("  " * min(depth, _DEEPEST), line)


def pretty_xml(text: str) -> Markup:
    """The text as indented lines, tags and attributes marked; any text is taken."""
    return Markup("\n").join(_lines(text))


def hex_rows(octets: bytes) -> Iterator[tuple[str, str, str]]:
    """Offset, hexadecimal and printable ASCII of each sixteen octets."""
    for offset in range(0, len(octets), _ROW_OCTETS):
        row = octets[offset : offset + _ROW_OCTETS]
        text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "·" for octet in row)  # noqa: PLR2004
        yield f"{offset:06x}", row.hex(" "), text
