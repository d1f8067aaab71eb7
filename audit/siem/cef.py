"""A record as a line of the Common Event Format, CEF:0."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any

from audit import __version__
from audit.siem.ecs import what_happened
from audit.siem.lines import on_one_line
from audit.siem.shown import Shown
from audit.siem.values import Facts, Value
from audit.standards.files import read_toml

_NS_PER_MS = 1_000_000
_ALERT = "110113"
_BETWEEN = ", "
_IMAGES = frozenset({"110102", "110103", "110104", "110105", "110106", "110107"})
"""Events about instances (PS3.15 A.5.3.3 to A.5.3.8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    key: str
    fact: str
    form: str = "text"
    label: str = ""
    longest: int = 4000


@cache
def _mapping() -> tuple[Mapping[str, str], tuple[_Field, ...], Mapping[str, Mapping[str, int]]]:
    table = read_toml("siem/cef.toml")
    return table["header"], tuple(_Field(**row) for row in table["field"]), table["severity"]


def cef_line(shown: Shown) -> bytes:
    """The line, without its end; values end where they would break a key or the line."""
    header, fields, severity = _mapping()
    facts = shown.facts | _derived(shown)
    parts = (
        "CEF:0",
        header["vendor"],
        header["product"],
        __version__,
        _class_id(shown),
        shown.first("event_name") or header["unnamed"],
        str(_severity(facts, severity)),
    )
    head = "|".join(map(escape_header, parts))
    pairs = " ".join(pair for field in fields for pair in _pairs(field, facts, shown.max_values))
    return f"{head}|{pairs}".encode()


def escape_header(text: str) -> str:
    r"""``\`` and ``|`` escaped, every control character a space."""
    return on_one_line(text.replace("\\", "\\\\").replace("|", "\\|"))


def escape_value(text: str) -> str:
    r"""``\``, ``=`` and line ends escaped, every other control character a space."""
    text = text.replace("\\", "\\\\").replace("=", "\\=")
    return on_one_line(text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\r"))


def _derived(shown: Shown) -> Facts:
    """What ``schemas/siem/cef.toml`` names beside the facts of every format."""
    said: Mapping[str, Any] = what_happened(shown)
    facts: Facts = {"ecs_action": (said["action"],)}
    if "category" in said:
        facts["ecs_category"] = (said["category"][0],)
    if "outcome" in said:
        facts["outcome"] = (said["outcome"],)
    if shown.first("event_code") in _IMAGES:
        facts["file_type"] = ("DICOM",)
    return facts


def _class_id(shown: Shown) -> str:
    code, system = shown.first("event_code"), shown.first("event_system")
    return f"{system or 'DCM'}:{code}" if code else "unreadable"


def _severity(facts: Facts, table: Mapping[str, Mapping[str, int]]) -> int:
    indicator = str(next(iter(facts.get("outcome_indicator", ())), "0"))
    return table["alert" if _ALERT in facts.get("event_code", ()) else "act"][indicator]


def _pairs(field: _Field, facts: Facts, max_values: int) -> tuple[str, ...]:
    text = _text(field, facts.get(field.fact, ())[:max_values])
    if not text:
        return ()
    label = (f"{field.key}Label={escape_value(field.label)}",) if field.label else ()
    return (f"{field.key}={text}", *label)


def _text(field: _Field, values: tuple[Value, ...]) -> str:
    if not values:
        return ""
    if field.form == "time":
        return str(int(values[0]) // _NS_PER_MS)
    if field.form == "number":
        return str(values[0])
    if field.form in {"4", "6"}:
        return next((str(v) for v in values if ip_address(v).version == int(field.form)), "")
    return escape_value(_cut(values, field.longest).strip())


def _cut(values: tuple[Value, ...], longest: int) -> str:
    """As many values as fit, separated by commas; a first one that doesn't fit is cut."""
    text = str(values[0])[:longest]
    for value in values[1:]:
        longer = f"{text}{_BETWEEN}{value}"
        if len(longer) > longest:
            break
        text = longer
    return text
