"""The grammars as compiled XSD, and their verdicts as findings a person understands."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from lxml import etree

from audit.record.findings import Finding, finding
from audit.record.xml_tree import Element
from audit.standards.files import schema_path

_FILES = {
    "dicom": "dicom/audit-message.xsd",
    "ihe": "ihe/audit-message.xsd",
    "legacy": "dicom/audit-message-legacy.xsd",
    "rfc3881": "rfc3881/audit-message.xsd",
    "dicom-part": "dicom/audit-message-parts.xsd",
}
_TYPES = "dicom/audit-message-types.xsd"
_ATTRIBUTES = re.compile(r'<xs:attribute name="([^"]+)"')
_ELEMENTS = re.compile(r'<xs:element name="([^"]+)"')
_NEAR_LETTERS, _ODD_LETTERS = 6, 2
_WORDS_LETTERS, _WORD_LETTERS = 10, 6
"""So long is a name from which a word of so many letters may be missing."""
_NAME_OR_QUERY = frozenset({"ParticipantObjectName", "ParticipantObjectQuery"})
_EITHER = "Send ParticipantObjectName or ParticipantObjectQuery, not both, before the details."
_ATTRIBUTE = re.compile(r"attribute '([^']+)'")
_MISSING_ATTRIBUTE = re.compile(r"The attribute '([^']+)' is required")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( ([^)]*) \)")
_VALUE = re.compile(r"'([^']*)' is not a valid value|[Tt]he value '([^']*)'")
_ELEMENT = re.compile(r"Element '([^']+)'")
_CONTENT = "This element is not expected"
_LACKING = "Missing child element"
_TEXT_KINDS = ("SCHEMAV_CVC_COMPLEX_TYPE_2_3", "SCHEMAV_CVC_COMPLEX_TYPE_2_1")
_FLOOD = 100
"""So many errors are looked for at length, with a path for each."""
_FEW = 200
"""So few elements can't hold more errors than can be told at length."""
_FED_OCTETS = 4096
_LONG_TEXT = 256
_EXPECTATIONS = {
    "EventActionCode": "C, R, U, D or E",
    "EventDateTime": "an xsd:dateTime such as 2026-03-01T09:30:00.000+01:00",
    "EventOutcomeIndicator": "0, 4, 8 or 12",
    "UserIsRequestor": "true, false, 1 or 0",
    "NetworkAccessPointTypeCode": "1 to 5",
    "NumberOfInstances": "an integer",
    "ParticipantObjectDataLifeCycle": "1 to 15",
    "ParticipantObjectQuery": "base64",
    "ParticipantObjectTypeCode": "1 to 4",
    "ParticipantObjectTypeCodeRole": "1 to 26",
    "Encrypted": "true or false",
    "Anonymized": "true or false",
    "value": "base64",
}
_VALUE_RULES = {
    "EventDateTime": "event-date-time",
    "ParticipantObjectQuery": "not-base64",
    "UserIsRequestor": "user-is-requestor",
    "value": "not-base64",
}


@dataclass(slots=True)
class Grammars:
    """The compiled grammars, for one user at a time: libxml2 keeps the last errors in them."""

    _compiled: dict[str, etree.XMLSchema] = field(default_factory=dict)
    _entries: dict[str, Sequence[Any]] = field(default_factory=dict)

    def accepts(self, tier: str, root: Element, *, large: bool = False) -> bool:
        """Whether the message meets the grammar of that name.

        Args:
            tier: ``dicom``, ``ihe``, ``legacy`` or ``rfc3881``; ``dicom-part`` for a single
                child of a message.
            root: the message.
            large: whether it may hold thousands of errors, each of which costs a look at all
                siblings; such a flood is then told without paths.
        """
        schema = self._compiled.get(tier)
        if schema is None:
            schema = self._compiled[tier] = _compile(tier)
        if large and _has_many(root) and (flood := _flood(schema, root)) is not None:
            self._entries[tier] = flood
            return not flood
        if schema.validate(root):
            return True
        self._entries[tier] = list(schema.error_log)
        return False

    def breaches(self, tier: str, most: int) -> list[Finding]:
        """What the last call of `accepts` with that tier found, at most so many."""
        found: dict[tuple[str, str, str], Finding] = {}
        for entry in self._entries[tier]:
            one = _as_finding(entry)
            kind = "value" if _is_value(one) else one.rule
            found.setdefault((one.path, kind, "" if one.path else one.message), one)
            if len(found) >= most:
                break
        return list(found.values())


_idle: list[Grammars] = []


class borrowed:  # noqa: N801 - used as the function it stands for, at a fraction of its cost
    """A context in which the grammars are nobody else's; compiled once and used again."""

    __slots__ = ("_grammars",)

    def __enter__(self) -> Grammars:
        try:
            self._grammars = _idle.pop()
        except IndexError:
            self._grammars = Grammars()
        return self._grammars

    def __exit__(self, *_: object) -> None:
        _idle.append(self._grammars)


def _compile(tier: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    return etree.XMLSchema(etree.parse(str(schema_path(_FILES[tier])), parser))


def _has_many(root: Element) -> bool:
    return next(islice(root.iter(), _FEW, None), None) is not None


def _flood(schema: etree.XMLSchema, root: Element) -> list[Any] | None:
    """The errors of a message that has very many or none at all; None when it has a few.

    The message is validated while it is fed, so that nobody waits for errors beyond those.
    """
    octets = _without_long_texts(etree.tostring(root, encoding="utf-8"))
    parser = etree.XMLParser(schema=schema, resolve_entities=False)
    with suppress(etree.XMLSyntaxError):
        for start in range(0, len(octets), _FED_OCTETS):
            parser.feed(octets[start : start + _FED_OCTETS])
            if len(parser.feed_error_log) >= _FLOOD:
                return list(parser.feed_error_log)[:_FLOOD]
        parser.close()
        return []
    return None


def _without_long_texts(octets: bytes) -> bytes:
    """With a short text where a long one is: fed piecemeal, it would be copied for each piece.

    Whether a long query is base64 is a rule of its own (``not-base64``); no other text is judged
    by its length.
    """
    parts = octets.split(b"<")
    for number, part in enumerate(parts):
        if len(part) > _LONG_TEXT and (end := part.find(b">") + 1) < len(part) - _LONG_TEXT:
            parts[number] = part[:end] + b"AAAA"
    return b"<".join(parts)


def _is_value(one: Finding) -> bool:
    return one.rule in {"grammar-value", *_VALUE_RULES.values()}


def _as_finding(entry: Any) -> Finding:
    text, line = _in_short(str(entry.message)), int(entry.line)
    named = _ELEMENT.search(text)
    path = str(entry.path or (named[1] if named else ""))
    missing = _MISSING_ATTRIBUTE.search(text)
    if missing:
        return finding(
            "grammar-attribute-missing",
            f"{_last(path)} has no {missing[1]}",
            path=f"{path}/@{missing[1]}",
            line=line,
        )
    if _CONTENT in text or _LACKING in text:
        return _about_order(text, path, line)
    if str(entry.type_name) in _TEXT_KINDS:
        return finding(
            "grammar-text", f"{_last(path)} has content it must not have", path=path, line=line
        )
    if "is not allowed" in text:
        return _about_surplus_attribute(text, path, line)
    return _about_value(text, path, line)


def _in_short(text: str) -> str:
    """Without the middle of a long value: its beginning is shown, its end tells what is wrong."""
    return text if len(text) <= 2 * _LONG_TEXT else text[:_LONG_TEXT] + text[-_LONG_TEXT:]


def _about_order(text: str, path: str, line: int) -> Finding:
    expected = _EXPECTED.search(text)
    wanted = " or ".join(part.strip() for part in expected[1].split(",")) if expected else ""
    if _LACKING in text:
        said = f"{_last(path)} lacks {wanted or 'an element'}"
        return finding("grammar-element-missing", said, path=path, line=line)
    said = f"{_last(path)} stands where " + (f"{wanted} is expected" if wanted else "nothing may")
    fix = _EITHER if _last(path).partition("[")[0] in _NAME_OR_QUERY else None
    return finding("grammar-element-unexpected", said, path=path, line=line, fix=fix)


def _about_surplus_attribute(text: str, path: str, line: int) -> Finding:
    named = _ATTRIBUTE.search(text)
    name = named[1] if named else "an attribute"
    return finding(
        "grammar-attribute-unexpected",
        f"{_last(path)} has an attribute {name}, which the grammar doesn't know",
        path=f"{path}/@{name}",
        line=line,
        fix=_instead_of(name),
    )


def _instead_of(name: str) -> str | None:
    """What the sender surely meant by an attribute; None when that can't be told."""
    if name in _names(_ELEMENTS):
        return f"Write {name} as an element, not as an attribute."
    near = next((known for known in _names(_ATTRIBUTES) if _is_near(name, known)), "")
    return f"Write {near}, or remove the attribute." if near else None


@cache
def _names(defined: re.Pattern[str]) -> tuple[str, ...]:
    files = (_TYPES, _FILES["dicom"])
    texts = (schema_path(file).read_text(encoding="utf-8") for file in files)
    return tuple(sorted({name for text in texts for name in defined.findall(text)}))


def _is_near(name: str, known: str) -> bool:
    """Whether two letters at most stand otherwise in one place, a word is missing or too many."""
    shorter, longer = sorted((len(name), len(known)))
    if longer - shorter > _WORD_LETTERS:
        return False
    name, known = name.casefold(), known.casefold()
    if name == known:
        return True
    if shorter < _NEAR_LETTERS:
        return False
    same = _same_letters(name, known)
    same += _same_letters(name[same:][::-1], known[same:][::-1])
    return longer - same <= _ODD_LETTERS or (
        same == shorter >= _WORDS_LETTERS and longer - same <= _WORD_LETTERS
    )


def _same_letters(one: str, other: str) -> int:
    """How many letters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _about_value(text: str, path: str, line: int) -> Finding:
    named = _ATTRIBUTE.search(text)
    name = named[1] if named else _last(path)
    value = _VALUE.search(text)
    shown = next((part for part in value.groups() if part is not None), "") if value else ""
    expected = _EXPECTATIONS.get(name, "")
    return finding(
        _VALUE_RULES.get(name, "grammar-value"),
        f"{name} is {shown[:80]!r}" + (f", expected {expected}" if expected else ""),
        path=f"{path}/@{named[1]}" if named else path,
        line=line,
    )


def _last(path: str) -> str:
    return path.rpartition("/")[2] or "the message"
