"""arr prove, arr checkpoint and arr witness."""

import asyncio
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit.cli import arr
from audit.errors import (
    ConfigurationError,
    IntegrityViolation,
    JournalUnavailable,
    NotFound,
    RequestError,
    StorageError,
)
from audit.journal.entry import Received
from audit.journal.reader import JournalReader
from audit.journal.standalone import verifier_source
from audit.journal.writer import JournalOptions, JournalWriter
from audit.service.receive import ReceiveRole
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority
from tests.service.places import make_place
from tests.service.timestamp_authority import authority


def run(*arguments: object) -> Result:
    return CliRunner().invoke(arr, [str(argument) for argument in arguments])


def grow(data: Path, count: int) -> None:
    options = JournalOptions(
        key_file=data / "keys" / "log-signing.key",
        position_file=data / "run" / "journal.position",
        reserve_octets=0,
    )
    with JournalWriter.open(data / "journal", options) as writer:
        first = writer.durable_count
        writer.append(
            [
                Received(b"message %d" % n, 1_790_000_000_000_000_000, "tls", "192.0.2.1:9")
                for n in range(first, first + count)
            ]
        )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    grow(tmp_path / "data", 9)
    return tmp_path / "data"


def key_of(data: Path) -> str:
    return run("checkpoint", "--key", "--data", data).stdout.strip()


class TestProve:
    def test_a_proof_is_written_and_checked_elsewhere(self, data: Path, tmp_path: Path) -> None:
        proof, raw, none = tmp_path / "p", tmp_path / "raw", tmp_path / "none"
        made = run("prove", "4", "--data", data, "-o", proof)
        assert made.exit_code == 0
        assert "no repository runs" in made.stderr
        raw.write_bytes(b"message 4")
        checked = run(
            "prove", "--check", proof, "--message", raw, "--key", key_of(data), "--data", none,
            "--json",
        )  # fmt: skip
        assert checked.exit_code == 0, checked.output
        told = json.loads(checked.stdout)
        assert (told["sequence"], told["peer"], told["message"]) == (4, "192.0.2.1:9", "matches")
        assert run("prove", "4", "--data", data).stdout == proof.read_text()

    def test_the_journal_at_hand_knows_its_key_and_nowhere_nobody_does(
        self, data: Path, tmp_path: Path
    ) -> None:
        proof = tmp_path / "p"
        run("prove", "4", "--data", data, "-o", proof)
        known = run("prove", "--check", proof, "--data", data)
        assert (known.exit_code, known.stdout[:7]) == (0, "PROVED:")
        unknown = run("prove", "--check", proof, "--data", tmp_path / "none")
        assert unknown.exit_code == 5
        assert "NOT KNOWN" in unknown.stdout

    def test_another_message_is_found_out(self, data: Path, tmp_path: Path) -> None:
        proof, raw = tmp_path / "p", tmp_path / "raw"
        run("prove", "4", "--data", data, "-o", proof)
        raw.write_bytes(b"message 5")
        result = run("prove", "--check", proof, "--message", raw, "--data", data)
        assert isinstance(result.exception, IntegrityViolation)
        proof.write_bytes(b"\xff")
        result = run("prove", "--check", proof, "--data", data)
        assert isinstance(result.exception, IntegrityViolation)

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("9", NotFound),
            ("otherlog-1", NotFound),
            ("x", RequestError),
            ("1-", RequestError),
            ("9" * 30, RequestError),
        ],
    )
    def test_a_record_that_is_not_there(self, data: Path, name: str, error: type) -> None:
        assert isinstance(run("prove", name, "--data", data).exception, error)

    def test_wrong_use_is_said(self, data: Path, tmp_path: Path) -> None:
        proof = tmp_path / "p"
        run("prove", "4", "--data", data, "-o", proof)
        assert run("prove").exit_code == 2
        for option in ("--key", "--witness"):
            result = run("prove", "--check", proof, option, "nonsense", "--data", data)
            assert isinstance(result.exception, RequestError)

    def test_the_verifier_is_handed_out(self, tmp_path: Path) -> None:
        assert run("prove", "--write-verifier", tmp_path / "v.py").exit_code == 0
        assert (tmp_path / "v.py").read_bytes() == verifier_source()

    def test_a_socket_left_by_a_killed_repository_is_no_repository(self, data: Path) -> None:
        (data / "run" / "append.sock").write_text("")
        result = run("prove", "4", "--data", data)
        assert result.exit_code == 0
        assert "no repository runs" in result.stderr

    def test_a_look_that_can_not_be_recorded_is_none(self, data: Path) -> None:
        (data / "run" / "append.sock").write_text("")
        options = JournalOptions(
            key_file=data / "keys" / "log-signing.key",
            position_file=data / "run" / "journal.position",
            reserve_octets=0,
        )
        with JournalWriter.open(data / "journal", options):
            result = run("prove", "4", "--data", data)
        assert isinstance(result.exception, JournalUnavailable)
        assert result.stdout == ""


class TestCheckpoint:
    def test_the_newest_head_is_printed(self, data: Path, tmp_path: Path) -> None:
        head = (data / "journal" / "checkpoint").read_text()
        assert run("checkpoint", "--data", data).stdout == head
        told = json.loads(run("checkpoint", "--data", data, "--json").stdout)
        assert (told["size"], told["checkpoint"], told["timestamp"]) == (9, head, None)
        run("checkpoint", "--data", data, "-o", tmp_path / "h")
        assert (tmp_path / "h").read_text() == head
        none = run("checkpoint", "--data", tmp_path / "none")
        assert isinstance(none.exception, JournalUnavailable)

    def test_growth_is_proved_between_heads_and_sizes(self, data: Path, tmp_path: Path) -> None:
        old, grown = tmp_path / "old", tmp_path / "grown"
        run("checkpoint", "--data", data, "-o", old)
        grow(data, 4)
        assert run("checkpoint", "--data", data, "--consistency", old, "-o", grown).exit_code == 0
        key = key_of(data)
        checked = run("checkpoint", "--check", grown, "--consistency", old, "--log", key)
        assert checked.stdout.endswith(" grew from 9 to 13 entries\n")
        told = run("checkpoint", "--check", grown, "--consistency", old, "--log", key, "--json")
        assert json.loads(told.stdout)["size"] == 13
        middle = tmp_path / "middle"
        run("checkpoint", "--data", data, "-o", middle)
        grow(data, 4)
        between = ("checkpoint", "--data", data, "--consistency", old, "--to", middle)
        assert run(*between).stdout == grown.read_text()
        by_size = run("checkpoint", "--data", data, "--consistency", 9, "--to", middle)
        assert by_size.stdout == grown.read_text()

    def test_a_log_that_did_not_grow_from_there(self, data: Path, tmp_path: Path) -> None:
        earlier = shutil.copytree(data, tmp_path / "earlier")
        grow(data, 3)
        run("checkpoint", "--data", data, "-o", tmp_path / "h")
        for old in (tmp_path / "h", 12):
            result = run("checkpoint", "--data", earlier, "--consistency", old)
            assert isinstance(result.exception, IntegrityViolation)
        changed = tmp_path / "changed"
        changed.write_text((tmp_path / "h").read_text().replace("\n12\n", "\n11\n"))
        result = run("checkpoint", "--data", data, "--consistency", changed)
        assert isinstance(result.exception, IntegrityViolation)

    def test_wrong_use_is_said(self, data: Path, tmp_path: Path) -> None:
        assert run("checkpoint", "--data", data, "--consistency", "nofile").exit_code == 2
        (tmp_path / "x").write_text("x")
        assert run("checkpoint", "--check", tmp_path / "x").exit_code == 2

    def test_heads_go_outside_and_a_cut_journal_ends_with_4(
        self, data: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        earlier = shutil.copytree(data, tmp_path / "earlier")
        grow(data, 3)
        published = run("checkpoint", "--data", data, "--publish", out)
        assert published.stdout.startswith(f"published: {out}")
        told = json.loads(run("checkpoint", "--data", data, "--publish", out, "--json").stdout)
        (place,) = told["published"]
        assert Path(place).read_text() == (data / "journal" / "checkpoint").read_text()
        cut = run("checkpoint", "--data", earlier, "--publish", out)
        assert isinstance(cut.exception, IntegrityViolation)
        verified = run("verify", "--data", earlier, "--checkpoint", place)
        assert verified.exit_code == 4

    @pytest.mark.outsider
    def test_a_timestamp_lies_beside_the_head_here_and_outside(
        self, data: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        with authority(tmp_path / "tsa") as stamping:
            given = ("checkpoint", "--data", data, "--timestamp", stamping.url, "--publish", out)
            said = run(*given, "--timestamp-ca", stamping.root)
            again = run(*given, "--json")
        assert said.exit_code == 0, said.output
        assert "timestamped at" in said.stdout
        assert "not checked" not in said.stdout
        told = json.loads(again.stdout)["timestamp"]
        assert told["authority_checked"] is False
        kept = {path.name for path in (data / "timestamps").iterdir()}
        assert kept == {path.name for path in out.iterdir()}
        assert {Path(name).suffix for name in kept} == {".checkpoint", ".tsr"}


class TestWitness:
    def test_wrong_use_is_said(self, data: Path, tmp_path: Path) -> None:
        given = ("witness", "--store", tmp_path / "w", "--log", key_of(data), "--listen")
        for listen in ("8000", "localhost:", "localhost:x"):
            assert run(*given, listen).exit_code == 2
        wrong = run("witness", "--store", tmp_path, "--log", "x", "--listen", "127.0.0.1:0")
        assert isinstance(wrong.exception, RequestError)
        named = run(*given, "127.0.0.1:0", "--name", "a b")
        assert isinstance(named.exception, ConfigurationError)


def test_beside_a_running_repository_the_look_is_a_record(
    tmp_path: Path, authority_of_senders: CertificateAuthority
) -> None:
    site = make_place(tmp_path, authority_of_senders, syslog__tls_enabled=False)
    data = site.paths.root

    def look() -> None:
        appends = AppendClient(site.paths.append_socket)
        try:
            sequence = appends.append(b"<85>1 - h a - - - fresh", "test")
        finally:
            appends.close()
        made = run("prove", sequence, "--data", data)
        assert made.exit_code == 0, made.exception
        assert made.stderr == ""
        assert f"\nindex {sequence}\n" in made.stdout
        with JournalReader(site.paths.journal, site.paths.position) as reader:
            raws = [entry.received.raw for entry in reader.iterate(sequence)]
        assert any(b'csd-code="110101"' in raw and b"cHJvb2Y" in raw for raw in raws)

    asyncio.run(_beside(ReceiveRole(site.settings, site.paths), look))


@pytest.fixture
def authority_of_senders() -> CertificateAuthority:
    return CertificateAuthority.create("test CA")


async def _beside(role: ReceiveRole, act: Callable[[], None]) -> None:
    await role.start()
    stop = asyncio.Event()
    running = asyncio.create_task(role.run(stop))
    try:
        await asyncio.to_thread(act)
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await running
        await role.stop()


def test_the_signing_key_is_replaced_beside_the_repository_and_without_it(
    tmp_path: Path, authority_of_senders: CertificateAuthority
) -> None:
    site = make_place(tmp_path, authority_of_senders, syslog__tls_enabled=False)
    at = ("--data", site.paths.root)

    def replace() -> None:
        result = run("checkpoint", "--rotate-key", "--overlap-days", 1, "--json", *at)
        assert result.exit_code == 0, result.exception
        first, second = json.loads(result.stdout)
        assert first["since"] == 0 < second["since"]
        assert run("checkpoint", "--key", *at).stdout.strip() == second["key"]

    asyncio.run(_beside(ReceiveRole(site.settings, site.paths), replace))
    alone = run("checkpoint", "--rotate-key", "--overlap-days", 0, *at)
    assert alone.exit_code == 0, alone.exception
    assert alone.stdout == run("checkpoint", "--key", *at).stdout
    assert "hand it to" in alone.stderr
    assert run("verify", *at).exit_code == 0
    again = run("checkpoint", "--rotate-key", *at)
    assert isinstance(again.exception, RequestError)  # nothing to seal
    nowhere = run("checkpoint", "--rotate-key", "--data", tmp_path / "none")
    assert isinstance(nowhere.exception, JournalUnavailable)


def test_files_that_are_none_are_no_crash(data: Path, tmp_path: Path) -> None:
    binary, nowhere = tmp_path / "binary", tmp_path / "no" / "where"
    binary.write_bytes(b"\xca\xfe")
    at = ("--data", data)
    for command in (("verify", "--checkpoint", binary, *at), ("prove", "--check", binary)):
        assert isinstance(run(*command).exception, IntegrityViolation)
    for words in (("checkpoint",), ("prove", "4")):
        assert isinstance(run(*words, "-o", nowhere, *at).exception, StorageError)
    written = run("prove", "--write-verifier", nowhere)
    assert isinstance(written.exception, StorageError)
    published = run("checkpoint", "--publish", "ftp://elsewhere", *at)
    assert isinstance(published.exception, RequestError)
    saved = run("backup", tmp_path / "backup", *at)
    assert saved.exit_code == 0, saved.exception
