"""Identities by the command line, beside a running repository."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit.cli import arr
from audit.journal.reader import JournalReader
from audit.service.paths import DataPaths
from audit.service.receive import ReceiveRole
from audit.settings import Settings
from audit.transport.pki import CertificateAuthority
from tests.service.places import make_place


def run(settings: Settings, *arguments: str, text: str | None = None) -> Result:
    place = ["--data", str(settings.data)]
    return CliRunner().invoke(arr, ["identities", *arguments, *place], input=text)


def administer(settings: Settings) -> None:
    lines = "person,identifier,assigner\n1,P1,1.2\n1,Q7,\n2,A,\n2,B,\n"
    taken = run(settings, "import", "--json", "-", text=lines)
    assert json.loads(taken.stdout) == {"version": 1, "links": 2, "changed": 4}
    shown = run(settings, "show", "p1")
    assert shown.stdout == "person,identifier,assigner\n1,P1,1.2\n1,Q7,\n"
    told = json.loads(run(settings, "show", "Q7", "--json").stdout)
    assert told["people"][0] == {"person": "1", "identifier": "P1", "assigner": "1.2"}
    assert run(settings, "show", "P1", "--kind", "person").exit_code == 1
    assert run(settings, "remove", "P1").exit_code == 1
    removed = run(settings, "remove", "P1", "--assigner", "1.2")
    assert (removed.exit_code, removed.stderr) == (0, "P1 is forgotten; version 2\n")
    assert run(settings, "show", "P1").exit_code == 1
    staff = run(settings, "import", "--kind", "person", "-", text="person,identifier\n1,a\n1,b\n")
    assert staff.exit_code == 0
    assert "1 links, 2 names new or moved; version 3" in staff.stderr
    wrong = run(settings, "import", "-", text="person,identifier\n1\n")
    assert wrong.exit_code != 0


@pytest.mark.timeout(300)
def test_identities_are_taken_shown_and_removed_on_record(tmp_path: Path) -> None:
    place = make_place(tmp_path, CertificateAuthority.create("test CA"))
    settings = place.settings

    async def beside() -> None:
        role = ReceiveRole(settings, place.paths)
        await role.start()
        stop = asyncio.Event()
        running = asyncio.create_task(role.run(stop))
        try:
            await asyncio.to_thread(administer, settings)
        finally:
            stop.set()
            await running
            await role.stop()

    asyncio.run(beside())
    paths = DataPaths(settings.data)
    with JournalReader(paths.journal, paths.position) as reader:
        own = b"".join(entry.received.raw for entry in reader.iterate(0))
    assert b"Software Configuration" in own
    assert b"P1" not in own


def test_without_a_repository_nothing_is_changed(tmp_path: Path) -> None:
    arguments = ["identities", "import", "-", "--data", str(tmp_path)]
    done = CliRunner().invoke(arr, arguments, input="person,identifier\n1,a\n1,b\n")
    assert done.exit_code != 0
