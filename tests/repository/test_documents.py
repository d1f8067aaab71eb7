"""The documents hold what the code says."""

import re
from pathlib import Path

from audit.cli.documents import render_commands

ROOT = Path(__file__).parents[2]


def test_the_command_line_is_documented_as_it_is() -> None:
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == render_commands()


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
        local = [link for link in links if "://" not in link]
        broken += [f"{page.name}: {x}" for x in local if not (page.parent / x).exists()]
    assert broken == []


def test_the_readme_names_the_two_commands_first() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme.index("make demo") < readme.index("make test") < readme.index("## What it does")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "\ndemo:" in makefile
    assert "\ntest:" in makefile


def test_what_the_changelog_calls_the_version_is_the_version() -> None:
    from audit import __version__

    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
