"""Where in the text of a message a finding points: its line, and the column in it."""

import re
from dataclasses import dataclass
from itertools import islice
from unicodedata import combining, east_asian_width

from audit.query.element_places import place_of
from audit.record.json_input import positions

_UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_MAX_SHOWN = 160
_TOLD = re.compile(r"line \d+, column (\d+): ")
_WIDE = {"W", "F"}


@dataclass(frozen=True, slots=True)
class Pointed:
    """One line of a message and the place in it, counted from 0."""

    text: str
    column: int

    def around(self, most: int = _MAX_SHOWN) -> tuple[str, int]:
        """At most so many characters of the line around the place, and where it is in them."""
        start = max(0, self.column - most // 2)
        return self.text[start : start + most], self.column - start


def text_of(msg: bytes) -> str:
    """The MSG part as text, for pointing at; what can't be decoded is replaced."""
    codec = "utf-16" if msg.startswith(_UTF_16_BOMS) else "utf-8"
    return msg.decode(codec, errors="replace").lstrip("\ufeff")


def point_at(lines: list[str], path: str, line: int, said: str = "") -> Pointed | None:
    """The place of a finding; None when the text doesn't have the line.

    Args:
        lines: of the message.
        path: of the finding: an attribute or an element, or empty for the line's first character;
            of JSON such as ``AuditEvent.agent[1].who``.
        line: one-based.
        said: the finding's message, which tells the column of what keeps XML from being read.
    """
    if not 0 < line <= len(lines):
        return None
    text = lines[line - 1].rstrip("\r")
    if not path and (told := _TOLD.match(said)):
        return Pointed(text, min(int(told[1]) - 1, len(text)))
    if path and not path.startswith("/"):
        return Pointed(text, _column_of_json(lines, path, line))
    return Pointed(text, _column(lines, path, line))


def _column_of_json(lines: list[str], path: str, line: int) -> int:
    """Where the member begins; the line's first character when that is in another line."""
    text = "\n".join(lines)
    at = positions(text, (path,))[path]
    first = lines[line - 1]
    column = at - text.rfind("\n", 0, at) - 1
    is_there = text.count("\n", 0, at) == line - 1
    return column if is_there else len(first) - len(first.lstrip())


def _column(lines: list[str], path: str, number: int) -> int:
    """Where the attribute or element is in its line; what is there once needs no closer look."""
    line = lines[number - 1]
    element, _, attribute = path.partition("/@")
    name = element.rpartition("/")[2].partition("[")[0]
    wanted = [re.compile(rf"(?<![\w.:-]){re.escape(attribute)}\s*=")] if attribute else []
    if name:
        wanted.append(re.compile(rf"<(?:[\w.-]+:)?{re.escape(name)}(?![\w.-])"))
    found = [[at.start() for at in islice(one.finditer(line), 2)] for one in wanted]
    if any(len(places) > 1 for places in found):
        text = "\n".join(lines)
        at = place_of(text, path)
        if at is not None and text.count("\n", 0, at) == number - 1:
            return at - text.rfind("\n", 0, at) - 1
    for places in found:
        if places:
            return places[0]
    return len(line) - len(line.lstrip())


def safe(text: str) -> str:
    """Without characters that could steer a terminal; one column each."""
    return "".join(c if c.isprintable() else " " if c in "\t\r\n" else "\ufffd" for c in text)


def width_of(text: str) -> int:
    """Columns that a terminal takes for safe text: two for the characters of East Asia."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in _WIDE else 1 for c in text)
