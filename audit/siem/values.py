"""Values of facts, and the forms that they must have."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

Value = str | int
Facts = dict[str, tuple[Value, ...]]
Found = dict[str, Iterable[Value | None]]
"""Facts as they are read: some may be missing, some may stand twice."""

JsonObject = Mapping[str, Any]


_LONGEST_IP = 45
"""Of an IPv6 address with an IPv4 address in it."""

LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON has exactly (RFC 8259 6)."""


def present(values: Iterable[Value | None]) -> tuple[Value, ...]:
    """Each value once, in order; nothing empty, and every text one that UTF-8 can write."""
    given = (_writable(value) for value in values if value is not None and value != "")
    return tuple(dict.fromkeys(given))


def _writable(value: Value) -> Value:
    if isinstance(value, int) or value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def ip_of(text: str | None) -> tuple[str, ...]:
    """The IP address in its usual form, when the text is one and names no zone; else ()."""
    stripped = (text or "").strip()
    return _remembered_ip(stripped) if 0 < len(stripped) <= _LONGEST_IP else ()


@lru_cache(maxsize=4_096)
def _remembered_ip(text: str) -> tuple[str, ...]:
    try:
        address = ip_address(text)
    except ValueError:
        return ()
    return () if "%" in str(address) else (str(address),)
