"""The lines of an export as they come, and whether they are all of them."""

import json
from collections.abc import Iterator
from hashlib import sha256

import httpx2

from audit.errors import IncompleteCheck

_TRAILER = "_trailer"


def checked_lines(answer: httpx2.Response) -> Iterator[bytes]:
    """The lines of an export, the last one held against the others."""
    digest = sha256()
    count = 0
    held: bytes | None = None
    try:
        for line in _lines(answer):
            if held is not None:
                digest.update(held)
                count += 1
                yield held
            held = line
    except httpx2.TransportError as error:
        raise IncompleteCheck(f"the export was cut after {count} records: {error}") from error
    expected = {"count": count, "sha256": digest.hexdigest(), "complete": True}
    if held is None or _trailer(held) != expected:
        raise IncompleteCheck(f"the export is incomplete: {count} records and no fitting trailer")
    yield held


def _lines(answer: httpx2.Response) -> Iterator[bytes]:
    """Lines with their ends, cut at line feeds alone; a last one without an end too."""
    rest = b""
    for chunk in answer.iter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


def _trailer(line: bytes) -> object:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told.get(_TRAILER) if isinstance(told, dict) else None
