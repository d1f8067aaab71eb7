"""docs/rules.md as text, made from ``schemas/rules.toml``."""

from audit.standards.rules import Rule, all_rules

_HEAD = """\
# Rules

Every rule that a finding can name. This page is made from `schemas/rules.toml`; don't edit it.

An *error* makes a message invalid; a *warning* or an *info* does not. Where two severities stand,
the second holds for messages of the tier `legacy`, whose senders follow an older edition. What
tiers and verdicts mean, and where this repository departs from a standard on purpose, is told in
[divergences](divergences.md).
"""


def render_rules_markdown() -> str:
    """The whole page, one section for each group, one row for each rule."""
    sections: dict[str, list[Rule]] = {}
    for one in all_rules():
        sections.setdefault(one.group, []).append(one)
    parts = [_HEAD]
    for group, rules in sections.items():
        rows = "\n".join(map(_row, rules))
        parts.append(
            f"## {group}\n\n"
            "| rule | severity | what must hold | clause | how the sender mends it |\n"
            "|---|---|---|---|---|\n"
            f"{rows}\n"
        )
    return "\n".join(parts)


def _row(one: Rule) -> str:
    severity = one.severity
    if one.legacy_severity != severity:
        severity = f"{severity} / {one.legacy_severity}"
    cells = (f"`{one.id}`", severity, one.title, one.clause, one.fix)
    return f"| {' | '.join(cell.replace('|', '&#124;').replace('<', '&lt;') for cell in cells)} |"
