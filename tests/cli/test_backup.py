"""Backup and restore by the command line, beside a running repository."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from audit.journal.heads import read_checkpoint
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.service.backup_list import BackupList
from audit.service.paths import DataPaths
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run, beside, fill_with_years, octets_below
from tests.service.places import Place, make_place

MESSAGE = b"<85>1 2026-01-01T00:00:00Z ct1 scan 7 IHE+RFC-3881 - <AuditMessage/>"

PUSHED = {"soc.json": '{"origin": "x", "position": 7}', "soc.dead.ndjson": ""}


@pytest.fixture
def authority() -> CertificateAuthority:
    return CertificateAuthority.create("test CA")


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    (tmp_path / "a").mkdir()
    return make_place(tmp_path / "a", authority)


@pytest.fixture
def other(tmp_path: Path, authority: CertificateAuthority) -> Place:
    (tmp_path / "b").mkdir()
    return make_place(tmp_path / "b", authority)


def _pushed_to(paths: DataPaths) -> None:
    """As a push leaves its folder, one that is replacing its place at this moment."""
    paths.push.mkdir(mode=0o700, exist_ok=True)
    for name, text in (PUSHED | {"soc.part": "{"}).items():
        (paths.push / name).write_text(text, encoding="utf-8")


def test_what_is_backed_up_while_running_is_restored_and_goes_on(
    place: Place, other: Place, tmp_path: Path
) -> None:
    fill_with_years(place, 25, years_ago=1)
    target = tmp_path / "backup"
    _pushed_to(place.paths)

    def save() -> None:
        password = tmp_path / "password"
        password.write_text("a long enough password")
        added = arr_run(place, "user", "add", "officer", "--password-file", str(password))
        assert added.exit_code == 0, added.output
        hold = arr_run(place, "hold", "add", "--case", "c", "--user", "u", "--reason", "r")
        assert hold.exit_code == 0
        made = arr_run(place, "backup", str(target), "--json")
        assert made.exit_code == 0, made.output
        told = json.loads(made.stdout)
        assert told["journaled"]
        assert told["with_keys"]
        assert told["entries"] >= 25
        assert verify(target / "journal").notes == ()
        client = AppendClient(place.paths.append_socket)
        client.append(MESSAGE, "own")
        client.close()
        again = arr_run(place, "backup", str(target))
        assert again.exit_code == 2

    beside(place, save)
    assert [one.folder for one in BackupList(place.paths).read()] == [str(target)]
    assert arr_run(_at(target, place), "verify").exit_code == 0
    modes = {path.stat().st_mode & 0o077 for path in target.rglob("*")}
    assert modes == {0}

    restored = arr_run(other, "restore", str(target))
    assert restored.exit_code == 0, restored.output
    assert "restored and verified" in restored.stdout
    assert arr_run(other, "restore", str(target)).exit_code == 2
    assert {path.name: path.read_text() for path in other.paths.push.iterdir()} == PUSHED
    assert "case c" in arr_run(other, "hold", "list").stdout

    def go_on() -> None:
        client = AppendClient(other.paths.append_socket)
        sequence = client.append(MESSAGE, "own")
        client.close()
        with JournalReader(place.paths.journal) as reader:
            assert sequence > 25
            assert reader.origin
        listed = arr_run(other, "user", "list").stdout
        assert "officer" in listed

    beside(other, go_on)
    assert verify(other.paths.journal).intact
    assert arr_run(place, "backup", str(target), "--destroyed").exit_code == 0
    assert arr_run(place, "backup", str(target), "--destroyed").exit_code == 1


def _at(folder: Path, place: Place) -> Place:
    settings = place.settings.model_copy(update={"data": folder})
    return Place(settings, DataPaths(folder), place.authority, place.folder)


def test_a_repository_at_rest_is_saved_without_a_record_and_without_keys(
    place: Place, other: Place, tmp_path: Path
) -> None:
    fill_with_years(place, 12, years_ago=1)
    made = arr_run(place, "backup", str(tmp_path / "backup"), "--without-keys")
    assert made.exit_code == 0, made.output
    assert "no record" in made.stderr
    assert "does not hold the private keys" in made.stderr
    assert not list((tmp_path / "backup").rglob("*.key"))
    restored = arr_run(other, "restore", str(tmp_path / "backup"), "--json")
    assert json.loads(restored.stdout)["entries"] == 12
    assert "put the log's key" in restored.stderr


def test_a_damaged_or_incomplete_backup_is_not_restored(
    place: Place, other: Place, tmp_path: Path
) -> None:
    fill_with_years(place, 12, years_ago=1)
    target = tmp_path / "backup"
    assert arr_run(place, "backup", str(target)).exit_code == 0
    for path in sorted(path for path in target.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if whole else b"x")
        assert arr_run(other, "restore", str(target)).exit_code in {4, 5}, path
        path.write_bytes(whole)
    (target / "more").write_bytes(b"")
    assert arr_run(other, "restore", str(target)).exit_code == 4
    (target / "more").unlink()
    manifest = target / "backup.json"
    whole = manifest.read_bytes()
    for content in (b"[]", b'{"files": []}', b'{"files": {"x": 1}}', b"{"):
        manifest.write_bytes(content)
        assert arr_run(other, "restore", str(target)).exit_code == 5
    manifest.write_bytes(whole)
    assert not any(other.paths.journal.iterdir())
    assert arr_run(other, "restore", str(target)).exit_code == 0


def test_a_backup_older_than_a_head_kept_elsewhere_is_found(
    place: Place, other: Place, tmp_path: Path
) -> None:
    fill_with_years(place, 5, years_ago=1)
    target = tmp_path / "backup"
    assert arr_run(place, "backup", str(target)).exit_code == 0
    fill_with_years(place, 5, years_ago=1)
    head = tmp_path / "head.txt"
    head.write_text(read_checkpoint(place.paths.journal))
    assert arr_run(other, "restore", str(target), "--checkpoint", str(head)).exit_code == 4


def test_without_a_journal_there_is_nothing_to_save(place: Place, tmp_path: Path) -> None:
    assert arr_run(place, "backup", str(tmp_path / "backup")).exit_code == 9
    (tmp_path / "file").write_text("x")
    fill_with_years(place, 1, years_ago=1)
    assert arr_run(place, "backup", str(tmp_path / "file")).exit_code == 2
    assert arr_run(place, "backup", str(tmp_path / "file" / "below")).exit_code == 6


def test_what_was_erased_goes_from_a_backup_that_is_renewed(
    place: Place, other: Place, tmp_path: Path
) -> None:
    raws = fill_with_years(place, 12, years_ago=1)
    target = tmp_path / "backup"

    def act() -> None:
        assert arr_run(place, "backup", str(target), "--renew").exit_code == 2
        assert arr_run(place, "backup", str(target)).exit_code == 0
        assert kept(target, 3) == raws[3]
        erased = arr_run(place, "retention", "erase", "3", "--order", "LG Ulm 3 O 17/26")
        assert f"{target} still holds it" in erased.stdout
        renewed = arr_run(place, "backup", str(target), "--renew")
        assert renewed.exit_code == 0, renewed.output

    beside(place, act)
    assert raws[3] not in octets_below(target)
    assert (kept(target, 3), kept(target, 4)) == (b"", raws[4])
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup"]
    restored = arr_run(other, "restore", str(target))
    assert restored.exit_code == 0, restored.output
    assert verify(other.paths.journal).removed == 1
    (tmp_path / "c").mkdir()
    stranger = make_place(tmp_path / "c", place.authority)
    fill_with_years(stranger, 2, years_ago=1)
    assert arr_run(stranger, "backup", str(target), "--renew").exit_code == 2
    assert verify(target / "journal").removed == 1


def kept(folder: Path, sequence: int) -> bytes:
    with JournalReader(folder / "journal") as reader:
        return reader.read(sequence).received.raw


def test_a_backup_brings_in_nothing_from_elsewhere_and_nothing_unsigned(
    place: Place, other: Place, tmp_path: Path
) -> None:
    fill_with_years(place, 3, years_ago=1)
    target = tmp_path / "backup"
    assert arr_run(place, "backup", str(target)).exit_code == 0
    secret = tmp_path / "secret"
    secret.write_text("x")
    (target / "enrolled").mkdir(exist_ok=True)
    link = target / "enrolled" / "x.pem"
    link.symlink_to(secret)
    assert arr_run(other, "restore", str(target)).exit_code == 4
    link.unlink()
    link.write_text("another node's certificate")
    manifest = target / "backup.json"
    told = json.loads(manifest.read_text())
    told["files"]["enrolled/x.pem"] = (26, sha256(link.read_bytes()).hexdigest())
    manifest.write_text(json.dumps(told, indent=1))
    refused = arr_run(other, "restore", str(target))
    assert refused.exit_code == 4
    assert "signed another backup.json" in str(refused.exception)
    (target / "backup.note").unlink()
    assert arr_run(other, "restore", str(target)).exit_code == 5
