"""MSG octets → a JSON object within bounds, and where in the text each of its members stands.

Source: RFC 8259; FHIR R4 2.6.2.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from audit.record.findings import finding
from audit.record.xml_input import Refused, XmlLimits

_BOM = b"\xef\xbb\xbf"
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\{")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INDEX = re.compile(r"\[[0-9]+\]$")


_MOST_CHARACTERS = 1024 * 1024
_MOST_TOKENS = 25_000
"""Places are looked for in no more than that, lest looking cost more than reading."""


class Number(str):
    """A number as it was written: nothing here calculates with it."""

    __slots__ = ()


class _Twice(Exception):
    """A name stands twice in one object."""


@dataclass(frozen=True, slots=True)
class JsonInput:
    """A JSON object and the text it was read from."""

    value: dict[str, Any]
    text: str


def is_json(msg: bytes) -> bool:
    """Whether the octets begin like a JSON object."""
    return _OBJECT.match(msg) is not None


def is_odd(text: str) -> bool:
    """Whether the text has characters that FHIR forbids in strings, or halves of characters."""
    return _ODD.search(text) is not None


def clean(text: str) -> str:
    """The text with such characters replaced, so that it can be stored."""
    return _ODD.sub("\ufffd", text)


def read_object(msg: bytes, limits: XmlLimits) -> JsonInput:
    """Read one JSON object.

    Objects and arrays count as elements do in ``limits``, other values as attributes.

    Raises:
        Refused: too large, too many values, nested too deeply, not well-formed, not UTF-8, or a
            name that stands twice in an object.
    """
    if len(msg) > limits.max_octets:
        said = f"{len(msg)} octets, at most {limits.max_octets} allowed"
        raise Refused(finding("json-too-large", said))
    octets = msg.removeprefix(_BOM).rstrip(b" \t\r\n\x00")
    _refuse_masses(octets, limits)
    text = _decoded(octets)
    value = _loaded(text, limits)
    _check(value, limits)
    return JsonInput(value, text)


def _refuse_masses(octets: bytes, limits: XmlLimits) -> None:
    """Bound what the parser may build, with room for such characters in texts."""
    if len(octets) <= limits.max_nodes:
        return
    if octets.count(b"{") + octets.count(b"[") > 2 * limits.max_nodes:
        raise _too_many("objects and arrays", limits.max_nodes)
    if octets.count(b",") > 2 * limits.max_attributes:
        raise _too_many("values", limits.max_attributes)


def _too_many(what: str, most: int) -> Refused:
    return Refused(finding("json-too-many-values", f"more than {most} {what}"))


def _too_deep(limits: XmlLimits) -> Refused:
    return Refused(finding("json-too-deep", f"nested deeper than {limits.max_depth}"))


def _decoded(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = octets.count(b"\n", 0, fault.start) + 1
        said = f"line {line}: octets that are not UTF-8"
        raise Refused(finding("json-not-well-formed", said, line=line)) from None


def _loaded(text: str, limits: XmlLimits) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_constant,
        )
    except _Twice as fault:
        said = f"{str(fault)!r:.80} stands twice in an object"
        raise Refused(finding("json-duplicate-name", said)) from None
    except json.JSONDecodeError as fault:
        said = f"line {fault.lineno}, column {fault.colno}: {fault.msg}"
        raise Refused(finding("json-not-well-formed", said, line=fault.lineno)) from None
    except ValueError as fault:
        raise Refused(finding("json-not-well-formed", str(fault))) from None
    except RecursionError:
        raise _too_deep(limits) from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(name)
            seen.add(name)
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _check(value: dict[str, Any], limits: XmlLimits) -> None:
    """Hold the whole object against the limits."""
    containers = scalars = 0
    level: list[Any] = [value]
    for depth in range(limits.max_depth + 1):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
            else:
                scalars += 1
                continue
            containers += 1
            if depth >= limits.max_depth:
                raise _too_deep(limits)
        if containers > limits.max_nodes:
            raise _too_many("objects and arrays", limits.max_nodes)
        if scalars > limits.max_attributes:
            raise _too_many("values", limits.max_attributes)
        level = inner


def positions(text: str, paths: Iterable[str]) -> dict[str, int]:
    """Where the members of these paths, or else the nearest above them, begin in the text.

    Args:
        text: well-formed JSON of one object.
        paths: such as ``AuditEvent.agent[1].who``; the first step is the object itself.
    """
    wanted = {path: _above(path) for path in paths}
    sought = {step for steps in wanted.values() for step in steps}
    found = _scan(text, sought) if sought and len(text) <= _MOST_CHARACTERS else {}
    return {
        path: next((found[step] for step in steps if step in found), 0)
        for path, steps in wanted.items()
    }


def _above(path: str) -> tuple[str, ...]:
    """The path and those above it, the nearest first."""
    steps = [path]
    while "." in path or "[" in path:
        shorter = _INDEX.sub("", path)
        path = shorter if shorter != path else path.rpartition(".")[0]
        steps.append(path)
    return tuple(steps)


def _scan(text: str, sought: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    steps = _Steps(min(sought, key=len))
    for token in islice(_TOKEN.finditer(text), _MOST_TOKENS):
        path = steps.take(token[0])
        if path in sought:
            found.setdefault(path, token.start())
    return found


class _Steps:
    """Follows the tokens of well-formed JSON of one object."""

    def __init__(self, root: str) -> None:
        self._around: list[tuple[str, int]] = []
        """Path of each open object (with -1) or array (with the number of its value)."""
        self._next = root
        self._is_name = False

    def take(self, token: str) -> str:
        """The path that begins with this token; empty when none does."""
        kind = token[0]
        if kind == ",":
            return self._go_on()
        if kind in "}]:":
            if kind != ":":
                self._around.pop()
            self._is_name = False
            return ""
        if self._is_name:
            self._next = f"{self._around[-1][0]}.{_name(token)}"
            self._is_name = False
            return self._next
        return self._value(kind)

    def _go_on(self) -> str:
        base, number = self._around[-1]
        self._is_name = number < 0
        if number >= 0:
            self._around[-1] = (base, number + 1)
            self._next = f"{base}[{number + 1}]"
        return ""

    def _value(self, kind: str) -> str:
        path = self._next
        if kind == "{":
            self._around.append((path, -1))
            self._is_name = True
        elif kind == "[":
            self._around.append((path, 0))
            self._next = f"{path}[0]"
        return path


def _name(token: str) -> str:
    return token[1:-1] if "\\" not in token else str(json.loads(token))
