"""Validation of messages outside the repository: files, pipes, whatever wraps them.

What ``arr validate`` prints; the JSON form is fixed by docs/cli.md.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audit.frame.syslog import read_header
from audit.query.message_sources import SourceMessage, advanced, read_sources
from audit.query.pointing import point_at, safe, text_of, width_of
from audit.record.assess import Assessment, assess
from audit.record.findings import Finding, finding
from audit.record.xml_input import DEFAULT_LIMITS, XmlLimits

_BOM = b"\xef\xbb\xbf"
_MOST_LINES = 12
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
        file: the source without number.
        line: line of the source in which the MSG part begins, one-based.
        column: characters before it in that line.
    """

    source: str
    assessment: Assessment
    findings: tuple[Finding, ...]
    verdict: str
    msg: bytes
    file: str = ""
    line: int = 1
    column: int = 0

    def located(self) -> Iterator[tuple[Finding, int, int]]:
        """Each finding with its line and column in the source, both one-based.

        A finding without a line points at the beginning of the MSG part.
        """
        lines = text_of(self.msg).split("\n") if self.findings else []
        is_marked = self.column > 0 and self.msg.startswith(_BOM)
        for one in self.findings:
            pointed = point_at(lines, one.path, one.line, one.message)
            if pointed is None:
                yield one, self.line, self.column + 1
            else:
                before = self.column + is_marked if one.line == 1 else 0
                yield one, self.line + one.line - 1, before + pointed.column + 1

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
    paths: Sequence[str],
    standard_input: bytes = b"",
    limits: XmlLimits = DEFAULT_LIMITS,
    unread: Callable[[str], None] | None = None,
) -> Iterator[ValidationResult]:
    """One result for every message of files, directories and standard input (``-``), in order.

    Args:
        paths: files and directories; of those, what begins with a dot is left out.
        standard_input: what ``-`` stands for.
        limits: bounds on size and structure.
        unread: is told, in words, what can't be read; the rest is judged all the same.

    Raises:
        NotFound: a path can't be read, and ``unread`` is None.
    """
    for message in read_sources(list(paths), standard_input, unread):
        yield validate_message(message, limits)


def validate_message(
    message: SourceMessage, limits: XmlLimits = DEFAULT_LIMITS
) -> ValidationResult:
    """What is said of one message. Never raises."""
    found: list[Finding] = []
    msg = message.raw
    place = (message.line, message.column)
    if message.is_syslog:
        header = read_header(message.raw)
        msg = message.raw[header.msg_offset :]
        found += [finding(one.rule, one.message) for one in header.remarks]
        place = advanced(place, message.raw[: header.msg_offset])
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
        file=message.file or message.source,
        line=place[0],
        column=place[1],
    )


def render(result: ValidationResult) -> str:
    """The result for a person: verdict, then each finding with its line, a caret and the mend.

    Of a rule that merely informs, the first place is shown and the lines of the others are named.
    """
    said = result.assessment
    words = [result.verdict]
    if said.tier != "none":
        words.append(f"tier {said.tier}")
    if said.event:
        words.append(f"event {said.event}")
    lines = [f"{result.source}: {', '.join(words)}"]
    text = text_of(result.msg).split("\n") if any(one.line for one in result.findings) else []
    for one, others in _folded(result.findings):
        lines += _render_finding(one, text)
        if others:
            lines.append(f"      and {_places(others)}")
    return "\n".join(lines)


def _folded(findings: Sequence[Finding]) -> Iterator[tuple[Finding, list[Finding]]]:
    """Each finding, and those of the same rule that are told with it."""
    alike: dict[str, list[Finding]] = {}
    for one in findings:
        alike.setdefault(one.rule, []).append(one)
    for one in findings:
        if one.severity != "info":
            yield one, []
        elif one is alike[one.rule][0]:
            yield one, alike[one.rule][1:]


def _places(others: Sequence[Finding]) -> str:
    """How many more there are, and in which lines."""
    lines = list(dict.fromkeys(str(one.line) for one in others if one.line))
    more = "once more" if len(others) == 1 else f"{len(others)} times more"
    if not lines:
        return more
    shown = ", ".join(lines[:_MOST_LINES]) + (" …" if len(lines) > _MOST_LINES else "")
    return f"{more}, in line {shown}" if len(lines) == 1 else f"{more}, in lines {shown}"


def _render_finding(one: Finding, lines: list[str]) -> Iterator[str]:
    where = f"line {one.line}: " if one.line and not one.message.startswith("line ") else ""
    yield f"  {_MARKS[one.severity]} {where}{safe(one.message)}  [{one.rule}, {one.clause}]"
    pointed = point_at(lines, one.path, one.line, one.message)
    if pointed is not None:
        shown, column = pointed.around()
        shown = safe(shown)
        yield f"      {shown}"
        yield f"      {' ' * width_of(shown[:column])}^"
    if one.severity != "info":
        yield f"      → {one.fix}"
