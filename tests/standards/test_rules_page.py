from pathlib import Path

from audit.standards.rules import all_rules
from audit.standards.rules_page import render_rules_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def test_the_page_in_docs_is_what_the_data_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_rules_markdown()


def test_every_rule_has_its_row() -> None:
    page = render_rules_markdown()
    for one in all_rules():
        assert page.count(f"| `{one.id}` |") == 1
