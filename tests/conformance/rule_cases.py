"""For every rule a message that breaks it, and where; the message before the change does not.

Most cases stand in ``rule_cases.toml``; here are those that no replaced text can make.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.corpus import changed, example, handwritten


@dataclass(frozen=True)
class RuleCase:
    """One broken message.

    Attributes:
        rule: the rule that must be found.
        whole: a message that doesn't break it.
        replaced: what is sent instead; empty when ``changes`` tell it.
        verdict: expected of the broken one.
        tier: expected of the broken one.
        path: where the finding must point; empty is not checked.
        line_with: a text that stands in the line the finding must name; empty is not checked.
        changes: texts of the whole message and what stands there in the broken one.
    """

    rule: str
    whole: bytes
    replaced: bytes = b""
    verdict: str = "invalid"
    tier: str = "dicom"
    path: str = ""
    line_with: str = ""
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def broken(self) -> bytes:
        """The message that breaks the rule."""
        return changed(self.whole, *self.changes) if self.changes else self.replaced


def _whole(case: dict[str, Any]) -> bytes:
    name, _, size = str(case["whole"]).partition("/")
    octets = example(name, size) if size else handwritten(name)
    return changed(octets, *case.get("before", ()))


def _written_down() -> list[RuleCase]:
    text = (Path(__file__).parent / "rule_cases.toml").read_text(encoding="utf-8")
    return [
        RuleCase(
            rule=case["rule"],
            whole=_whole(case),
            verdict=case["verdict"],
            tier=case["tier"],
            path=case.get("path", ""),
            line_with=case.get("line_with", ""),
            changes=tuple((old, new) for old, new in case["change"]),
        )
        for case in tomllib.loads(text)["case"]
    ]


_GOOD = example("110103")
_END = b"</AuditMessage>"
_MALFORMED = ("malformed", "none")
_MIB = 1024 * 1024

CASES = [
    *_written_down(),
    RuleCase("message-empty", _GOOD, b" \n", *_MALFORMED),
    RuleCase("not-xml", _GOOD, b"audit: nothing", *_MALFORMED),
    RuleCase("xml-cut-off", _GOOD, _GOOD[:-40], *_MALFORMED),
    RuleCase("xml-too-large", _GOOD, _GOOD + b" " * (16 * _MIB), *_MALFORMED),
    RuleCase(
        "xml-too-many-nodes", _GOOD, _GOOD.replace(_END, b"<a/>" * 20_001 + _END), *_MALFORMED
    ),
    RuleCase(
        "message-read-partly",
        _GOOD,
        _GOOD.replace(
            b"<AuditSource",
            b'<ActiveParticipant UserID="p" UserIsRequestor="false"/>' * 2_000 + b"<AuditSource",
            1,
        ),
        "valid",
    ),
    RuleCase("encoding-not-utf-8", _GOOD, _GOOD.decode().encode("utf-16"), "valid"),
    RuleCase("octets-around-xml", _GOOD, b"\n " + _GOOD + b"\x00", "valid"),
    RuleCase("wrong-root", _GOOD, b"<IHEYr4/>", "invalid", "none", "/IHEYr4"),
]
