"""Validation of messages outside the repository: files, pipes, whatever wraps them.

What ``arr validate`` prints; the JSON form is fixed by docs/cli.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audit.frame.syslog import read_header
from audit.query.message_sources import SourceMessage, read_sources
from audit.query.pointing import point_at, safe, text_of
from audit.record.assess import Assessment, assess
from audit.record.findings import Finding, finding
from audit.record.xml_input import DEFAULT_LIMITS, XmlLimits

_MARKS = {"error": "✗", "warning": "!", "info": "·"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationResult:
    """What is said of one message.

    Attributes:
        source: file name or ``-``, with ``#n`` when it holds several messages.
        assessment: of the MSG part.
        findings: of header and MSG part; lines count from the beginning of the MSG part.
        verdict: ``valid``, ``invalid`` or ``malformed``.
        msg: the MSG part, for pointing at lines.
    """

    source: str
    assessment: Assessment
    findings: tuple[Finding, ...]
    verdict: str
    msg: bytes

    @property
    def is_valid(self) -> bool:
        """Whether the verdict is ``valid``."""
        return self.verdict == "valid"

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that ``arr validate --json`` prints."""
        said = self.assessment
        return {
            "source": self.source,
            "dialect": said.dialect,
            "tier": said.tier,
            "verdict": self.verdict,
            "event": said.event,
            "findings": [one.as_dict() for one in self.findings],
        }


def validate_sources(
    paths: Sequence[str], standard_input: bytes = b"", limits: XmlLimits = DEFAULT_LIMITS
) -> Iterator[ValidationResult]:
    """One result for every message of files, directories and standard input (``-``), in order.

    Raises:
        NotFound: a path is neither file nor directory.
    """
    for message in read_sources(list(paths), standard_input):
        yield validate_message(message, limits)


def validate_message(
    message: SourceMessage, limits: XmlLimits = DEFAULT_LIMITS
) -> ValidationResult:
    """What is said of one message. Never raises."""
    found: list[Finding] = []
    msg = message.raw
    if message.is_syslog:
        header = read_header(message.raw)
        msg = message.raw[header.msg_offset :]
        found += [finding(one.rule, one.message) for one in header.remarks]
    if message.original_length > len(message.raw):
        said = f"{len(message.raw)} of {message.original_length} octets arrived"
        found.append(finding("message-truncated", said))
    assessment = assess(msg, limits)
    findings = (*found, *assessment.findings)
    verdict = assessment.verdict
    if verdict == "valid" and any(one.severity == "error" for one in found):
        verdict = "invalid"
    return ValidationResult(
        source=message.source,
        assessment=assessment,
        findings=findings,
        verdict=verdict,
        msg=msg,
    )


def render(result: ValidationResult) -> str:
    """The result for a person: verdict, then each finding with its line, a caret and the mend."""
    said = result.assessment
    words = [result.verdict]
    if said.tier != "none":
        words.append(f"tier {said.tier}")
    if said.event:
        words.append(f"event {said.event}")
    lines = [f"{result.source}: {', '.join(words)}"]
    text = text_of(result.msg).split("\n") if any(one.line for one in result.findings) else []
    for one in result.findings:
        lines += _render_finding(one, text)
    return "\n".join(lines)


def _render_finding(one: Finding, lines: list[str]) -> Iterator[str]:
    where = f"line {one.line}: " if one.line else ""
    yield f"  {_MARKS[one.severity]} {where}{safe(one.message)}  [{one.rule}, {one.clause}]"
    pointed = point_at(lines, one.path, one.line)
    if pointed is not None:
        shown, column = pointed.around()
        yield f"      {safe(shown)}"
        yield f"      {' ' * column}^"
    if one.severity != "info":
        yield f"      → {one.fix}"


def summarise(results: Iterable[ValidationResult]) -> dict[str, dict[str, int]]:
    """How many messages by verdict, tier and event, and in how many each rule was broken."""
    counts: dict[str, dict[str, int]] = {"verdict": {}, "tier": {}, "event": {}, "rule": {}}
    for result in results:
        said = result.assessment
        for group, value in (
            ("verdict", result.verdict),
            ("tier", said.tier),
            ("event", said.event or "unknown"),
            *(("rule", name) for name in {one.rule for one in result.findings}),
        ):
            counts[group][value] = counts[group].get(value, 0) + 1
    return {
        group: dict(sorted(values.items(), key=lambda item: (-item[1], item[0])))
        for group, values in counts.items()
    }
