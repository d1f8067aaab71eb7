"""Where in the text of an XML message each element begins, for texts that are one long line."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

MAX_CHARACTERS = 1024 * 1024
"""Places are not told in longer texts."""
_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 32
"""Far above what the grammar needs; paths grow with it."""

_MARKUP = re.compile(
    r"(?P<aside><!--|<!\[CDATA\[|<\?)"
    r"|<(?P<close>/?)(?P<name>[\w:.\-]+)(?P<rest>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>"
)
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
"""Of what holds no tags, whatever it looks like."""
_STEP = re.compile(r"/([^/\[\]]+)(?:\[(\d+)\])?")


class _Open(NamedTuple):
    """An element that is open: its path, and how many children of each name it has had."""

    path: str
    children: dict[str, int]


def place_of(text: str, path: str) -> int | None:
    """Where the element or attribute of a path begins; None when that can't be told.

    Args:
        text: of the whole message.
        path: such as ``/AuditMessage/ActiveParticipant[2]/@UserID``.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    element, _, attribute = path.partition("/@")
    found = _elements(text).get(_numbered(element))
    if found is None or not attribute:
        return None if found is None else found[0]
    named = re.compile(rf"[\s:]({re.escape(attribute)})\s*=").search(text, *found)
    return named.start(1) if named else found[0]


def _numbered(path: str) -> str:
    """With a number at each step."""
    return "".join(f"/{name}[{number or 1}]" for name, number in _STEP.findall(path))


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Start and end tags, in order; nothing behind an aside that doesn't end."""
    at = 0
    while (markup := _MARKUP.search(text, at)) is not None:
        at = markup.end()
        if markup["aside"] is None:
            yield markup
            continue
        end = _ENDS[markup["aside"]]
        at = text.find(end, at)
        if at < 0:
            return
        at += len(end)


@lru_cache(maxsize=2)
def _elements(text: str) -> dict[str, tuple[int, int]]:
    """Beginning and end of each start tag, by path; as far as there are not very many or deep."""
    found: dict[str, tuple[int, int]] = {}
    opened = [_Open("", {})]
    for markup in _tags(text):
        if markup["close"]:
            if len(opened) > 1:
                opened.pop()
            continue
        name = markup["name"].rpartition(":")[2]
        above = opened[-1]
        number = above.children[name] = above.children.get(name, 0) + 1
        path = f"{above.path}/{name}[{number}]"
        found[path] = markup.span()
        if len(found) >= _MAX_ELEMENTS or len(opened) > _MAX_DEPTH:
            break
        if not markup["rest"].endswith("/"):
            opened.append(_Open(path, {}))
    return found
