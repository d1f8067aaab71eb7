"""Accounts and tokens, beside a running repository."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit.cli import arr
from audit.journal.reader import JournalReader
from audit.service.paths import DataPaths
from audit.service.receive import ReceiveRole
from audit.service.web import state_url
from audit.settings import Settings
from audit.state.store import StateStore
from audit.transport.pki import CertificateAuthority
from tests.service.places import make_place

PASSWORD = "a long enough password"


def run(settings: Settings, *arguments: str, text: str | None = None) -> Result:
    place = ["--data", str(settings.data)]
    return CliRunner().invoke(arr, [*arguments, *place], input=text, catch_exceptions=False)


def sessions(settings: Settings) -> None:
    with StateStore(state_url(DataPaths(settings.data))) as state:
        account = state.accounts.find("officer")
        assert account is not None
        for _ in range(3):
            state.sessions.begin(account, "10.0.0.7")
    lines = run(settings, "user", "sessions", "officer", "--json").stdout.splitlines()
    assert len(lines) == 3
    first = json.loads(lines[0])
    assert (first["name"], first["address"], first["emergency"]) == ("officer", "10.0.0.7", False)
    assert run(settings, "user", "sessions", "nobody").stdout == ""
    assert "officer" in run(settings, "user", "sessions").stdout
    assert run(settings, "user", "sign-out", first["id"]).exit_code == 0
    assert run(settings, "user", "sign-out").exit_code == 2
    ended = run(settings, "user", "sign-out", "--account", "officer")
    assert "2 sessions ended" in ended.stderr
    assert run(settings, "user", "sessions").stdout == ""


def test_accounts_and_tokens_are_made_changed_and_removed_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_place(tmp_path, CertificateAuthority.create("test CA"))
    settings = place.settings

    def administer() -> None:
        added = run(settings, "user", "add", "officer", "--password-file", "-", text=PASSWORD)
        assert added.exit_code == 0, added.output
        listed = json.loads(run(settings, "user", "list", "--json").stdout)
        assert listed["name"] == "officer"
        assert "events:read" in listed["scopes"]
        assert "officer" in run(settings, "user", "list").stdout
        monkeypatch.setenv("ARR_PASSWORD", PASSWORD + "2")
        assert run(settings, "user", "password", "officer").exit_code == 0
        monkeypatch.delenv("ARR_PASSWORD")
        assert run(settings, "user", "password", "officer").exit_code == 2
        assert run(settings, "user", "add", "x", "--scope", "all").exit_code == 2
        assert run(settings, "user", "add", "x", "--role", "king").exit_code == 2
        feed = run(settings, "user", "add", "feed", "--role", "siem", "--service")
        assert feed.exit_code == 0, feed.output
        assert run(settings, "user", "remove", "feed").exit_code == 0
        granted = run(settings, "user", "grant", "officer", "--role", "auditor", "--site", "main")
        assert granted.exit_code == 0, granted.output
        listed = json.loads(run(settings, "user", "list", "--json").stdout)
        assert (listed["roles"], listed["scopes"], listed["sites"]) == (["auditor"], [], ["main"])
        assert run(settings, "user", "disable", "officer").exit_code == 0
        assert run(settings, "user", "enable", "officer").exit_code == 0
        sessions(settings)
        secret = tmp_path / "password"
        secret.write_text(PASSWORD + "\n")
        assert run(settings, "user", "add", "b", "--password-file", str(secret)).exit_code == 0
        assert run(settings, "user", "remove", "officer").exit_code == 0
        made = json.loads(run(settings, "token", "create", "siem", "--json").stdout)
        assert made["token"].startswith("arr_")
        assert run(settings, "token", "create", "t2", "--scope", "siem:read").stdout.strip()
        tokens = run(settings, "token", "list", "--json").stdout.splitlines()
        assert len(tokens) == 2
        assert made["token"] not in "".join(tokens)
        assert "siem" in run(settings, "token", "list").stdout
        assert run(settings, "token", "revoke", made["id"]).exit_code == 0

    async def body() -> None:
        role = ReceiveRole(settings, place.paths)
        stop = asyncio.Event()
        await role.start()
        running = asyncio.create_task(role.run(stop))
        try:
            await asyncio.to_thread(administer)
        finally:
            stop.set()
            await running
            await role.stop()

    asyncio.run(asyncio.wait_for(body(), 50))
    with JournalReader(place.paths.journal) as reader:
        said = b"".join(entry.received.raw for entry in reader.iterate(0))
    assert said.count(b'csd-code="110137"') == 14
    assert PASSWORD.encode() not in said
