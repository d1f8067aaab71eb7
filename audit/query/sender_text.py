"""The report on senders as text: a table for the operator, and a page to hand to the vendor."""

from collections.abc import Iterator

from audit.query.broken_rules import BrokenRule
from audit.query.pointing import safe
from audit.query.senders import ClockSkew, Sender, SendersAnswer
from audit.record.times import format_ns

_COLUMNS = ("sender", "certificate", "application", "records", "invalid", "tier", "clock")
_DIGEST_SHOWN = 12
_WIDEST = 40
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_NS_PER_S = 1_000_000_000


def render_table(answer: SendersAnswer) -> str:
    """One row for each sender, and below it the rules it breaks most."""
    rows = [_COLUMNS, *map(_row, answer.senders)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_COLUMNS))]
    lines: list[str] = []
    for number, row in enumerate(rows):
        cells = (value.ljust(width) for value, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
        if number:
            sender = answer.senders[number - 1]
            lines += [f"    {_short(rule)}" for rule in sender.rules if rule.severity != "info"]
    return "\n".join(lines)


def _row(sender: Sender) -> tuple[str, ...]:
    return (
        _cut(sender.node or "(no AuditSourceID)"),
        _cut(sender.subject or sender.peer[:_DIGEST_SHOWN] or "-"),
        _cut(sender.app or "-"),
        str(sender.messages),
        str(sender.unsound),
        " ".join(f"{tier} {n}" for tier, n in sender.tiers.items()),
        "-" if sender.clock_skew is None else _behind(sender.clock_skew.median_s),
    )


def _cut(text: str) -> str:
    text = safe(text)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _short(rule: BrokenRule) -> str:
    return f"{rule.records:>8}  {rule.severity} {rule.rule}: {rule.title}"


def _behind(seconds: float) -> str:
    """Receipt less event time in words: ``3.2 s`` behind, ``-1 h`` ahead."""
    size = abs(seconds)
    for unit_s, unit in ((_DAY_S, "days"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if size >= unit_s:
            return f"{seconds / unit_s:.1f} {unit}"
    return f"{seconds:.1f} s"


def render_for_vendor(answer: SendersAnswer) -> str:
    """A page for each sender that its vendor can work from: every rule and how to mend it."""
    return "\n\n".join("\n".join(_page(sender, answer)) for sender in answer.senders)


def _page(sender: Sender, answer: SendersAnswer) -> Iterator[str]:
    title = f"Audit messages of {safe(sender.node) or 'a sender without AuditSourceID'}"
    yield title
    yield "=" * len(title)
    yield ""
    yield from _facts(sender, answer)
    yield ""
    yield "Values that may name a person are masked, except a value that itself breaks a rule:"
    yield "read this page before you hand it on."
    if not sender.rules:
        yield ""
        yield "Every message kept to the standard."
    for number, rule in enumerate(sender.rules, start=1):
        yield ""
        yield from _section(number, rule)


def _facts(sender: Sender, answer: SendersAnswer) -> Iterator[str]:
    period = answer.period
    yield f"Received      {_day(period.start)} to {_day(period.end)}"
    yield f"Seen          {_day(sender.first_seen)} to {_day(sender.last_seen)}"
    if sender.app:
        yield f"Application   {safe(sender.app)}"
    if sender.hosts:
        yield f"Hosts         {safe(', '.join(sender.hosts))}"
    if sender.subject or sender.peer:
        yield f"Certificate   {safe(sender.subject) or 'unnamed'} (SHA-256 {sender.peer})"
    yield f"Messages      {sender.messages} ({_counts(sender.verdicts)})"
    yield f"Tiers         {_counts(sender.tiers)}"
    if sender.clock_skew is not None:
        yield f"Clock         {_clock(sender.clock_skew)}"


def _day(ns: int) -> str:
    return format_ns(ns // _NS_PER_S * _NS_PER_S)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _clock(skew: ClockSkew) -> str:
    return (
        f"events are dated {_behind(skew.median_s)} before receipt in the median of "
        f"{skew.records}, {_behind(skew.last_s)} the last, "
        f"{_behind(skew.least_s)} to {_behind(skew.greatest_s)} in all"
    )


def _section(number: int, rule: BrokenRule) -> Iterator[str]:
    yield f"{number}. {rule.title or rule.rule}"
    yield f"   {rule.severity} {rule.rule}, {rule.clause}; {rule.records} messages"
    yield f"   How to mend it: {rule.fix}"
    for example in rule.examples:
        where = f", line {example.line}" if example.line else ""
        path = f" at {safe(example.path)}" if example.path else ""
        yield f"   - {example.id}{where}{path}: {safe(example.message)}"
        for line in example.excerpt.split("\n") if example.excerpt else ():
            yield f"         {line}"
