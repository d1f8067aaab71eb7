"""A record as a syslog message (RFC 5424), with structured data or around another format."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from audit.frame.syslog import AUDIT_FACILITY
from audit.record.times import format_ns
from audit.siem.ecs import what_happened
from audit.siem.lines import on_one_line
from audit.siem.shown import Shown
from audit.standards.files import read_toml

_ALERT = "110113"
_NIL = "-"
_HOSTNAME, _APP_NAME, _MSGID = 255, 48, 32
"""Longest fields of a header (RFC 5424 6)."""

_UNPRINTABLE = re.compile(r"[^!-;=?-~]+")
_MICROSECOND = 1_000
DOCUMENTATION_NUMBER = 32473
"""Private enterprise number for examples (RFC 5612)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogForm:
    """How messages are written.

    Attributes:
        app_name: APP-NAME.
        enterprise_number: of the structured data's element.
    """

    app_name: str = "arr"
    enterprise_number: int = DOCUMENTATION_NUMBER


@cache
def _mapping() -> tuple[Mapping[str, str], Mapping[str, Mapping[str, int]]]:
    table = read_toml("siem/syslog.toml")
    return table["parameters"], table["severity"]


def syslog_line(shown: Shown, form: SyslogForm) -> bytes:
    """The message with structured data; MSG is a sentence that the repository made."""
    message = on_one_line(shown.first("message"))
    return f"{_header(shown, form)} {_structured(shown, form)} {message}".encode()


def enclosed(shown: Shown, form: SyslogForm, line: bytes) -> bytes:
    """A line of another format as MSG of a syslog message."""
    return f"{_header(shown, form)} {_NIL} ".encode() + line


def _header(shown: Shown, form: SyslogForm) -> str:
    fields = (
        f"<{AUDIT_FACILITY * 8 + _severity(shown)}>1",
        # TIME-SECFRAC has at most six digits (RFC 5424 6).
        format_ns(int(shown.facts["time"][0]) // _MICROSECOND * _MICROSECOND),
        _printable(shown.first("host"), _HOSTNAME),
        _printable(form.app_name, _APP_NAME),
        _NIL,
        _printable(str(what_happened(shown)["action"]), _MSGID),
    )
    return " ".join(fields)


def _severity(shown: Shown) -> int:
    table = _mapping()[1]["alert" if shown.first("event_code") == _ALERT else "act"]
    return table[shown.first("outcome_indicator") or "0"]


def _printable(text: str, longest: int) -> str:
    """What a header can hold of a text: a ``<`` is allowed, but readers take it for a message."""
    return "".join(_UNPRINTABLE.split(text))[:longest] or _NIL


def _structured(shown: Shown, form: SyslogForm) -> str:
    parameters = "".join(_parameters(shown))
    return f"[arr@{form.enterprise_number}{parameters}]"


def _parameters(shown: Shown) -> Iterator[str]:
    for name, fact in _mapping()[0].items():
        for value in shown.facts.get(fact, ())[: shown.max_values]:
            yield f' {name}="{escape_parameter(str(value))}"'


def escape_parameter(text: str) -> str:
    r"""``"``, ``\`` and ``]`` escaped (RFC 5424 6.3.3), every control character a space."""
    for character in '\\"]':
        text = text.replace(character, f"\\{character}")
    return on_one_line(text)
