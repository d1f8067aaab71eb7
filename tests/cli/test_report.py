"""``arr report`` over a whole repository in one folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit.cli import arr
from audit.cli.report import LONGEST_DAYS
from audit.errors import JournalUnavailable
from audit.query.search import SearchService
from audit.query.senders import SenderOptions
from audit.settings import Settings
from tests.conformance.corpus import changed, example
from tests.web.stack import Stack, stack

GOOD = example("110103")
BAD = changed(GOOD, ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"'))
HEADER = b"<85>1 2026-03-01T09:30:00.000Z pacs.example pacs 815 IHE+RFC-3881 - "


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A repository that the command searches in place of a running one."""
    with stack(tmp_path) as made:

        @contextmanager
        def searching(_settings: Settings) -> Iterator[SearchService]:
            yield made.search

        monkeypatch.setattr("audit.service.operator.searching", searching)
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arr, ["report", "senders", *arguments], catch_exceptions=False)


def test_a_table_names_senders_and_their_rules(repository: Stack) -> None:
    repository.add([HEADER + GOOD, HEADER + BAD])
    result = run()
    assert result.exit_code == 0
    assert "sender" in result.stdout.split("\n")[0]
    assert "error user-is-requestor" in result.stdout


def test_json_is_the_form_of_the_api(repository: Stack) -> None:
    repository.add([HEADER + BAD])
    (sender,) = json.loads(run("--json", "--days", "2").stdout)["items"]
    assert sender["verdicts"] == {"invalid": 1}


def test_a_page_for_the_vendor(repository: Stack) -> None:
    repository.add([HEADER + BAD])
    node = json.loads(run("--json").stdout)["items"][0]["node"]
    page = run("--sender", node).stdout
    assert page.startswith(f"Audit messages of {node}\n")
    assert 'UserIsRequestor="TRUE"' in page
    assert "^" in page


def test_the_longest_period_is_that_of_the_report() -> None:
    assert SenderOptions().days == LONGEST_DAYS


def test_messages_about_the_answer_go_to_standard_error(repository: Stack) -> None:
    repository.append(HEADER + BAD)
    result = run("--sender", "nobody")
    assert result.stdout == ""
    assert "no records of such a sender" in result.stderr
    assert "1 newer records are not counted yet" in result.stderr


def test_it_needs_a_running_repository(tmp_path: Path) -> None:
    result = CliRunner().invoke(arr, ["report", "senders", "--data", str(tmp_path)])
    assert isinstance(result.exception, JournalUnavailable)
