"""Where in a message something stands: a path a person can follow, and its line."""

import re
from itertools import islice

from audit.record.xml_tree import Element

_STEP = re.compile(r"([^/\[\]@]+)(?:\[(\d+)\])?")


def path_of(element: Element) -> str:
    """The path of an element, numbered where siblings of the same name stand beside it."""
    steps = []
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
