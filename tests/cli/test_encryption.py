"""A key configured for the journal, from the command line."""

import base64
import json
import os
from pathlib import Path

import pytest

from audit.journal import master_keys
from audit.journal.master_keys import MasterKeys
from audit.service.journal_keys import use_journal_keys
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run, beside, octets_below
from tests.service.places import make_place

MESSAGE = b"<85>1 2026-01-01T00:00:00Z ct1 scan 7 IHE+RFC-3881 - <AuditMessage/>"


def test_the_journal_is_encrypted_and_verify_needs_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_keys._Process, "keys", MasterKeys())
    key = tmp_path / "journal.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    place = make_place(tmp_path, CertificateAuthority.create("test CA"), journal__key_file=key)
    use_journal_keys(place.settings)

    def act() -> None:
        client = AppendClient(place.paths.append_socket)
        client.append(MESSAGE, "own")
        client.close()

    beside(place, act)
    assert b"IHE+RFC-3881" not in octets_below(place.paths.journal)
    without = arr_run(place, "verify", "--json")
    assert json.loads(without.stdout)["unchecked"] == []
    assert without.exit_code == 0
    master_keys.use(MasterKeys())
    without = arr_run(place, "verify")
    assert without.exit_code == 5
    assert "not checked: 00000000000000000000.segment" in without.stdout
    assert arr_run(place, "serve", "receive").exit_code == 6
    monkeypatch.setenv("ARR_JOURNAL__KEY_FILE", str(key))
    assert arr_run(place, "verify").exit_code == 0
    key.chmod(0o644)
    assert arr_run(place, "verify").exit_code == 6


def test_the_environment_may_hold_the_key_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_keys._Process, "keys", MasterKeys())
    place = make_place(tmp_path, CertificateAuthority.create("test CA"))
    monkeypatch.setenv("ARR_JOURNAL_KEY", base64.b64encode(bytes(range(32))).decode())
    use_journal_keys(place.settings)

    def act() -> None:
        client = AppendClient(place.paths.append_socket)
        client.append(MESSAGE, "own")
        client.close()

    beside(place, act)
    assert b"IHE+RFC-3881" not in octets_below(place.paths.journal)
    shown = arr_run(place, "config", "show", "--json").stdout
    assert os.environ["ARR_JOURNAL_KEY"] not in shown
    monkeypatch.setattr(master_keys._Process, "keys", MasterKeys())
    assert arr_run(place, "verify").exit_code == 0
    monkeypatch.setenv("ARR_JOURNAL_KEY", "no key")
    refused = arr_run(place, "verify")
    assert refused.exit_code == 6
    assert "no key" not in str(refused.exception).replace("holds no keys", "")
