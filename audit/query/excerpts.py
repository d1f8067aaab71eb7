"""A line of a message that can be shown to its maker: the place of a finding, values masked.

Values that may name a patient or a member of staff are replaced. What stays is a list of what may:
names of elements and attributes, codes and their texts, times, and the value the finding is about.
Of a message that isn't well-formed nothing is shown, since what a value is can't be told there.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from audit.frame.syslog import read_header
from audit.query.broken_rules import BrokenRule, Example
from audit.query.pointing import point_at, safe, text_of
from audit.query.senders import Sender
from audit.record.assess import assess
from audit.record.json_input import is_json

MASK = "…"

_SHOWN_VALUES = frozenset(
    {
        "csd-code",
        "code",
        "codeSystem",
        "codeSystemName",
        "originalText",
        "displayName",
        "EventActionCode",
        "EventDateTime",
        "EventOutcomeIndicator",
        "UserIsRequestor",
        "NetworkAccessPointTypeCode",
        "AuditSourceID",
        "ParticipantObjectTypeCode",
        "ParticipantObjectTypeCodeRole",
        "ParticipantObjectDataLifeCycle",
        "NumberOfInstances",
        "type",
        "version",
        "encoding",
        "xmlns",
        "xmlns:xsi",
        "xsi:noNamespaceSchemaLocation",
    }
)
_XML_PART = re.compile(
    r"""(?P<aside><!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?(?!xml\s).*?\?>)"""
    r"""|(?P<name>[\w:.-]+)(?P<is>\s*=\s*)(?P<value>"[^"]*"|'[^']*')"""
    r"""|>(?P<text>[^<]+)""",
    re.DOTALL,
)

_JSON_SHOWN_VALUES = frozenset(
    {"resourceType", "system", "code", "action", "outcome", "recorded", "url", "type"}
)
_JSON_PART = re.compile(
    r"""(?:"(?P<name>[^"\\]*(?:\\.[^"\\]*)*)"(?P<is>\s*:\s*))"""
    r"""(?P<value>"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*)?"""
    r"""|"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*""",
    re.DOTALL,
)

Read = Callable[[str], bytes]
"""The octets as received of a record, by its id."""


def with_excerpts(sender: Sender, read: Read) -> Sender:
    """The sender with an excerpt of the first example of each rule."""
    return replace(sender, rules=tuple(_with_excerpt(rule, read) for rule in sender.rules))


def _with_excerpt(rule: BrokenRule, read: Read) -> BrokenRule:
    if not rule.examples:
        return rule
    first, *rest = rule.examples
    shown = replace(first, excerpt=excerpt(read(first.id), first))
    return replace(rule, examples=(shown, *rest))


def excerpt(received: bytes, example: Example) -> str:
    """The line of the example's finding with a caret below the place; empty when there is none."""
    msg = received[read_header(received).msg_offset :]
    if assess(msg).verdict == "malformed":
        return ""
    text = text_of(msg)
    if is_json(msg):
        name = example.path.rpartition(".")[2].partition("[")[0]
        lines = masked_json(text, name).split("\n")
    else:
        lines = masked(text, example.path.rpartition("/@")[2]).split("\n")
    pointed = point_at(lines, example.path, example.line)
    if pointed is None:
        return ""
    line, column = pointed.around()
    return f"{safe(line)}\n{' ' * column}^"


def masked(text: str, shown: str = "") -> str:
    """The XML with values masked, line for line; the attribute ``shown`` is left as it is."""

    def mask(found: re.Match[str]) -> str:
        if found["aside"]:
            return f"<!--{_mask(found['aside'])}-->"
        if found["name"]:
            if found["name"] == shown or found["name"] in _SHOWN_VALUES:
                return found[0]
            return f'{found["name"]}{found["is"]}"{_mask(found["value"][1:-1])}"'
        return f">{_mask(found['text'])}"

    return _XML_PART.sub(mask, text)


def masked_json(text: str, shown: str = "") -> str:
    """The JSON with values masked, line for line; members called ``shown`` are left as they are.

    Texts and numbers are masked; true, false and null tell of no one.
    """

    def mask(found: re.Match[str]) -> str:
        if found["name"] is None:
            return f'"{MASK}"'
        is_shown = found["name"] == shown or found["name"] in _JSON_SHOWN_VALUES
        if is_shown or found["value"] is None:
            return found[0]
        return f'"{found["name"]}"{found["is"]}"{MASK}"'

    return _JSON_PART.sub(mask, text)


def _mask(value: str) -> str:
    """One mark for what isn't blank; line breaks stay, for lines are counted."""
    return (MASK if value.strip() else "") + "\n" * value.count("\n")
