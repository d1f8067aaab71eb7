"""Lines: whatever a sender wrote, one record is one line, for every reader's idea of a line."""

import re
from typing import Any

import orjson

_SEPARATORS = {
    "\u0085".encode(): rb"\u0085",
    "\u2028".encode(): rb"\u2028",
    "\u2029".encode(): rb"\u2029",
}
"""What some readers take for the end of a line, though JSON doesn't (Unicode UAX 14: BK, NL)."""

_DELETE = b"\x7f"
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def json_line(document: dict[str, Any]) -> bytes:
    """JSON on one line, without its end."""
    octets = orjson.dumps(document)
    for separator, escaped in _SEPARATORS.items():
        octets = octets.replace(separator, escaped)
    return octets.replace(_DELETE, rb"\u007f")


def on_one_line(text: str) -> str:
    """The text with a space for each control character and line separator."""
    return _BREAKS.sub(" ", text)
