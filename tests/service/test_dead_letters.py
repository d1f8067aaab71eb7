"""What Elasticsearch refused for good: listed, put again, dropped; counted by the check."""

import asyncio
import json
import re
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from audit.errors import ConfigurationError, IndexUnavailable, RequestError
from audit.service.backends import open_reader
from audit.service.dead_letter_list import letters_listed, outcome_of
from audit.service.dead_letters import LetterRequest, last_request, request_file
from audit.service.project import ProjectRole
from audit.service.state_file import replace_file
from audit.service.status import Status, write_status
from audit.service.verify_index import check_index
from audit.settings import load
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run, beside, fill_with_years
from tests.index.fake_elasticsearch import (
    Answer,
    FakeElasticsearch,
    fake_elasticsearch,
    refused,
)
from tests.service.places import Place, make_place
from tests.waiting import until

RECORDS = 6
REFUSED = 3


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as started:
        yield started


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority, fake: FakeElasticsearch) -> Place:
    made = make_place(
        tmp_path,
        authority,
        index__backend="elasticsearch",
        index__elasticsearch_url=fake.url,
        index__elasticsearch_retry_s=0,
    )
    fill_with_years(made, RECORDS, years_ago=0.0)
    fake.bulk_script = [refusing(fake)] * 1000
    return made


def refusing(fake: FakeElasticsearch) -> Any:
    """Refuses three records of those that it gets."""

    def answer(actions: list[dict[str, Any]]) -> Answer:
        items = [
            refused(action, 400, "strict\x1b[2J mapping")
            if "-events-" in action["_index"]
            and action["_id"].partition("-")[2] in ("1", "3", "5")
            else fake.take(action)
            for action in actions
        ]
        return 200, {"errors": True, "items": items}

    return answer


def run(place: Place, *arguments: str) -> Result:
    """A command that reads where Elasticsearch is."""
    file = place.folder / "arr.toml"
    index = place.settings.index
    file.write_text(
        f'[index]\nbackend = "{index.backend}"\nelasticsearch_url = "{index.elasticsearch_url}"\n'
    )
    return arr_run(place, *arguments, "--config", str(file))


def outcome(result: Result) -> Any:
    """What it printed last; the processes beside it log to the same output before."""
    return json.loads(result.stdout[result.stdout.index("{") :])


def say_running(place: Place, *, ready: bool = True, reason: str = "") -> None:
    """As the process that fills the index does each second."""
    later = time.time_ns() + 600 * 1_000_000_000
    status = Status(role="project", ready=ready, pid=1, updated=later, detail={"reason": reason})
    write_status(place.paths.status("project"), status)


def test_they_are_listed_put_again_and_leave_the_list(
    place: Place, fake: FakeElasticsearch
) -> None:
    def act() -> None:
        say_running(place)
        listed = run(place, "dead-letters", "list")
        assert listed.stdout.count("document_parsing_exception") == REFUSED
        assert "\x1b" not in listed.stdout
        first, *others = map(
            json.loads, run(place, "dead-letters", "list", "--json").stdout.splitlines()
        )
        assert first["id"] in fake.letters
        assert (first["sequence"] < others[0]["sequence"], len(others)) == (True, 2)
        again = run(place, "dead-letters", "retry", first["id"], others[0]["id"], "--json")
        assert again.exit_code == 1
        told = outcome(again)
        assert (told["taken"], told["refused"], told["dropped"]) == (0, 2, 0)
        fake.bulk_script.clear()
        assert run(place, "dead-letters", "retry", "--all").exit_code == 0
        assert not fake.letters

    beside(place, act)
    assert len(fake.taken) >= RECORDS
    assert b"are to be put again" in told_of(place)


def test_they_are_dropped_from_the_list_and_not_from_the_check(
    place: Place, fake: FakeElasticsearch
) -> None:
    def act() -> None:
        say_running(place)
        report = check_index(place.settings)  # this server finds no document, only letters
        assert report.refused == REFUSED
        assert report.disagreements >= RECORDS
        named = [problem for _, problem in report.named if "refused" in problem]
        assert len(named) == REFUSED
        assert "strict" in named[0]
        name = min(fake.letters)
        dropped = run(place, "dead-letters", "drop", name, "k3f9-999")
        assert "0 taken, 0 refused again, 1 dropped" in dropped.stdout
        assert name not in fake.letters
        assert check_index(place.settings).refused == REFUSED - 1
        run(place, "dead-letters", "drop", "--all")
        assert not fake.letters

    beside(place, act)
    assert b"no longer to be listed" in told_of(place)


def told_of(place: Place) -> bytes:
    """What the details of all messages of the journal say."""
    with open_reader(place.paths) as reader:
        raws = [one.received.raw for one in reader.iterate(0, reader.durable_count())]
    return b"".join(b64decode(value) for value in re.findall(rb' value="([^"]+)"', b"".join(raws)))


def test_the_process_tells_how_many_there_are(place: Place) -> None:
    seen: list[str] = []

    def look(role: ProjectRole) -> bool:
        status = role.status()
        seen.append(status.metrics)
        return status.detail.get("dead_letters") == REFUSED

    async def body() -> None:
        role = ProjectRole(place.settings, place.paths)
        stop = asyncio.Event()
        await role.start()
        running = asyncio.create_task(role.run(stop))
        try:
            await asyncio.to_thread(until, lambda: look(role))
        finally:
            stop.set()
            await running
            await role.stop()

    asyncio.run(body())
    assert f"arr_index_dead_letters {float(REFUSED)}" in seen[-1]


def test_a_full_list_says_from_where_on_it_is_not_whole(
    place: Place, fake: FakeElasticsearch
) -> None:
    fake.letters["beyond"] = {"sequence": 4, "beyond": True}
    assert letters_listed(place.settings).first_beyond == 4
    told = run(place, "dead-letters", "list")
    assert "from sequence 4 on it is not whole" in told.stderr


def test_without_elasticsearch_there_are_none(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    embedded = make_place(tmp_path / "embedded", authority)
    for arguments in (("list",), ("retry", "--all"), ("drop", "x-1")):
        assert run(embedded, "dead-letters", *arguments).exit_code == 2
    with pytest.raises(RequestError, match="no records go to Elasticsearch"):
        letters_listed(embedded.settings)


def test_what_to_do_must_be_said(place: Place) -> None:
    for arguments in (("retry",), ("drop", "x-1", "--all")):
        assert run(place, "dead-letters", *arguments).exit_code == 2


def test_nothing_is_asked_for_where_nothing_runs(place: Place) -> None:
    assert run(place, "dead-letters", "retry", "--all").exit_code == 9
    assert last_request(place.paths) is None


def test_waiting_ends_when_nobody_can_do_it(place: Place) -> None:
    asked = LetterRequest("one", "retry")
    replace_file(request_file(place.paths), json.dumps(asked.__class__.__slots__).encode())
    assert last_request(place.paths) is None
    replace_file(request_file(place.paths), json.dumps(asdict(asked)).encode())
    with pytest.raises(IndexUnavailable, match="doesn't run"):
        outcome_of(place.settings, "one")
    say_running(place, ready=False, reason="no disk")
    with pytest.raises(IndexUnavailable, match="no disk"):
        outcome_of(place.settings, "one")
    say_running(place)
    assert outcome_of(place.settings, "one") is None
    with pytest.raises(IndexUnavailable, match="another request"):
        outcome_of(place.settings, "two")


def test_a_record_that_the_journal_forgot_or_cannot_read_is_not_put(
    place: Place, fake: FakeElasticsearch
) -> None:
    def act() -> None:
        say_running(place)
        origin = next(iter(fake.letters)).partition("-")[0]
        fake.letters[f"{origin}-900"] = {"sequence": 900, "reason": "r"}
        told = outcome(run(place, "dead-letters", "retry", f"{origin}-900", "--json"))
        assert (told["taken"], told["unreadable"]) == (0, 1)
        assert f"{origin}-900" in fake.letters

    beside(place, act)


@pytest.mark.parametrize("prefix", ["ARR", "arr,*", "../_all", "", "-arr", "a" * 101, "arr\n"])
def test_a_prefix_that_cannot_begin_an_index_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="elasticsearch_prefix"):
        load(None, {"index.elasticsearch_prefix": prefix}, {})
