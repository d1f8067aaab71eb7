"""Where in a message something stands: a path a person can follow, and its line."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from audit.record.findings import Finding
from audit.record.xml_tree import Element

_STEP = re.compile(r"([^/\[\]@]+)(?:\[(\d+)\])?")
_NEWLINE = re.compile(rb"\n")
_OPEN_TAG = re.compile(
    rb"<(?:[^\s:<>/!?]+:)?([^\s:<>/!?]+)(?:\s(?:[^>\"']|\"[^\"]*\"|'[^']*')*)?\Z"
)
"""A start tag that does not end where the text does."""
_LONGEST_TAG = 16 * 1024
_MOST_OCTETS = 1024 * 1024
_MOST_LINES = 20_000
"""Beyond these nobody reads a message line by line."""


def path_of(element: Element) -> str:
    """The path of an element, numbered where siblings of the same name stand beside it."""
    path = str(element.getroottree().getpath(element))
    if ":" not in path and "*" not in path:
        return path
    steps = []  # of a namespace, for which the parser's own path names prefixes or nothing
    current: Element | None = element
    while current is not None:
        steps.append(_step(current))
        current = current.getparent()
    return "/" + "/".join(reversed(steps))


def _step(element: Element) -> str:
    parent = element.getparent()
    name = local_name(element)
    if parent is None:
        return name
    same = [child for child in parent if child.tag == element.tag]
    return name if len(same) == 1 else f"{name}[{same.index(element) + 1}]"


def local_name(element: Element) -> str:
    """The name without its namespace."""
    tag = str(element.tag)
    return tag.rpartition("}")[2]


def line_of(root: Element, path: str) -> int:
    """The line of the nearest element of the path that is there; 0 when even the root isn't."""
    found = root
    steps = _STEP.findall(path.partition("/@")[0])
    for name, number in steps[1:]:
        nth = next(islice(found.iterchildren(name), int(number or 1) - 1, None), None)
        if nth is None:
            break
        found = nth
    return found.sourceline or 0


def numbered(name: str, index: int, count: int) -> str:
    """One step of a path: ``ActiveParticipant[2]``, without number when it stands alone."""
    return name if count == 1 else f"{name}[{index + 1}]"


def begun(findings: Sequence[Finding], octets: bytes) -> tuple[Finding, ...]:
    """The findings with the line where their tag or attribute begins, in the order of lines.

    A parser tells the line in which a start tag ends. Of a tag that was written over several
    lines, that is not where its reader looks. Calling this again changes nothing.

    Args:
        findings: with paths, and lines of the octets, one-based.
        octets: the message as sent; of an encoding that has a line break for each octet 10.
    """
    if not findings or len(octets) > _MOST_OCTETS or not 0 < octets.count(b"\n") < _MOST_LINES:
        return tuple(findings)
    starts = [0, *(at.end() for at in _NEWLINE.finditer(octets))]
    placed = [_begun(one, octets, starts) for one in findings]
    return tuple(sorted(placed, key=lambda one: one.line))


def _begun(one: Finding, octets: bytes, starts: list[int]) -> Finding:
    if not one.path.startswith("/") or not 1 < one.line <= len(starts):
        return one
    begin = starts[one.line - 1]
    least = max(begin - _LONGEST_TAG, 0)
    tag = _OPEN_TAG.match(octets, max(octets.rfind(b"<", least, begin), 0), begin)
    element, _, attribute = one.path.partition("/@")
    name = element.rpartition("/")[2].partition("[")[0]
    if tag is None or tag[1] != name.encode():
        return one
    end = octets.find(b">", begin)
    named = attribute and re.compile(
        rb"[\s:]" + re.escape(attribute.encode()) + rb"\s*=\s*[\"']"
    ).search(octets, tag.start(), len(octets) if end < 0 else end)
    at = named.start() + 1 if named else tag.start()
    return replace(one, line=bisect_right(starts, at))
