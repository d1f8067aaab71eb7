"""Commands that need no running repository."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit.cli import arr
from audit.errors import ConfigurationError, ConnectionFailed, IncompleteCheck, JournalUnavailable
from audit.journal.entry import Received
from audit.journal.writer import JournalOptions, JournalWriter

BAD = b"<AuditMessage><EventIdentification/></AuditMessage>"


def run(*arguments: str, text: bytes | None = None) -> Result:
    return CliRunner().invoke(arr, list(arguments), input=text)


@pytest.fixture
def message(tmp_path: Path) -> Path:
    """A valid message, taken from the simulator."""
    line = run("simulate", "--events", "1").stdout_bytes
    path = tmp_path / "message.xml"
    path.write_bytes(line[line.index(b"<?xml") :])
    return path


def journal_in(data: Path, count: int) -> None:
    options = JournalOptions(
        key_file=data / "keys" / "log-signing.key",
        position_file=data / "run" / "journal.position",
        reserve_octets=0,
    )
    for folder in ("keys", "run"):
        (data / folder).mkdir(parents=True)
    with JournalWriter.open(data / "journal", options) as writer:
        writer.append(
            [Received(raw=b"x" * 300, received_at=1, listener="t", peer="") for _ in range(count)]
        )
        writer.publish_head()


class TestValidate:
    def test_a_good_message_is_valid(self, message: Path) -> None:
        result = run("validate", "--json", str(message))
        assert result.exit_code == 0, result.output
        said = json.loads(result.stdout)
        assert (said["dialect"], said["tier"], said["verdict"]) == ("dicom", "dicom", "valid")
        assert set(said) == {"source", "dialect", "tier", "verdict", "event", "findings"}

    def test_a_bad_one_ends_with_1_and_says_how_to_mend_it(self) -> None:
        result = run("validate", "--json", "-", text=BAD)
        assert result.exit_code == 1
        findings = json.loads(result.stdout)["findings"]
        assert findings
        for one in findings:
            assert set(one) == {"rule", "severity", "clause", "path", "line", "message", "fix"}
            assert one["fix"]

    def test_a_person_sees_the_place(self) -> None:
        result = run("validate", "-", text=BAD)
        assert result.exit_code == 1
        assert "^" in result.stdout

    def test_counts_can_be_asked_for(self, message: Path) -> None:
        result = run("validate", "--summary", str(message), "-", text=BAD)
        assert result.exit_code == 1
        assert "invalid" in result.stdout
        counts = json.loads(run("validate", "--summary", "--json", str(message)).stdout)
        assert counts["verdict"] == {"valid": 1}
        assert [one["messages"] for one in counts["source"].values()] == [1]

    def test_sarif_is_one_document_with_every_finding(self, message: Path) -> None:
        result = run("validate", "--sarif", str(message), "-", text=BAD)
        assert result.exit_code == 1
        log = json.loads(result.stdout)
        assert log["version"] == "2.1.0"
        assert log["runs"][0]["results"]
        assert run("validate", "--sarif", str(message)).exit_code == 0
        assert run("validate", "--sarif", "--json", str(message)).exit_code == 2

    def test_every_rule_can_be_listed(self) -> None:
        assert "event-participant" in run("validate", "--list-rules").stdout
        rules = [
            json.loads(line)
            for line in run("validate", "--list-rules", "--json").stdout.splitlines()
        ]
        assert all(rule["clause"] and rule["fix"] for rule in rules)

    def test_the_bounds_of_the_settings_hold(self, message: Path, tmp_path: Path) -> None:
        few = tmp_path / "few.toml"
        few.write_text("[validation]\nmax_octets = 1024\n")
        result = run("validate", "--json", "--config", str(few), str(message))
        assert result.exit_code == 1
        assert json.loads(result.stdout)["findings"][0]["rule"] == "xml-too-large"

    def test_nothing_named_is_a_usage_error(self) -> None:
        assert run("validate").exit_code == 2

    def test_what_can_not_be_read_is_named_beside_the_verdicts(
        self, message: Path, tmp_path: Path
    ) -> None:
        missing = tmp_path / "missing.xml"
        result = run("validate", "--json", str(missing), str(message))
        assert result.exit_code == 1
        assert json.loads(result.stdout)["verdict"] == "valid"
        assert f"no file or directory: {missing}" in result.stderr


class TestSimulate:
    def test_the_same_seed_gives_the_same_messages(self) -> None:
        first = run("simulate", "--events", "20", "--seed", "3").stdout_bytes
        assert first == run("simulate", "--events", "20", "--seed", "3").stdout_bytes
        assert first != run("simulate", "--events", "20", "--seed", "4").stdout_bytes

    def test_what_it_writes_validates(self, tmp_path: Path) -> None:
        out = tmp_path / "load.bin"
        labels = tmp_path / "labels.ndjson"
        made = run(
            "simulate", "--events", "3000", "--format", "octet-counted",
            "--out", str(out), "--labels", str(labels),
        )  # fmt: skip
        assert made.exit_code == 0, made.output
        counts = json.loads(run("validate", "--summary", "--json", str(out)).stdout)
        assert counts["verdict"] == {"valid": 3000}
        for line in labels.read_text().splitlines():
            assert 0 <= json.loads(line)["message"] < 3000

    def test_how_much_must_be_said(self) -> None:
        assert run("simulate").exit_code == 2


class TestSend:
    def test_datagrams_arrive_with_a_header(self, message: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(10)
            port = str(receiver.getsockname()[1])
            sent = run("send", "--udp", "--host", "127.0.0.1", "--port", port, str(message))
            assert sent.exit_code == 0, sent.output
            raw = receiver.recv(65536)
        assert raw.startswith(b"<85>1 ")
        assert raw.endswith(message.read_bytes())

    def test_without_a_demo_the_target_must_be_named(self, message: Path, tmp_path: Path) -> None:
        result = run("send", "--data", str(tmp_path), str(message))
        assert isinstance(result.exception, ConfigurationError)

    def test_tls_needs_certificates(self, message: Path) -> None:
        assert run("send", "--host", "127.0.0.1", str(message)).exit_code == 2

    def test_a_closed_port_can_not_be_reached(self, message: Path, tmp_path: Path) -> None:
        run("pki", "init", "--out", str(tmp_path / "pki"))
        run("pki", "issue", "x", "--ca", str(tmp_path / "pki"), "--out", str(tmp_path))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
        result = run(
            "send", "--host", "127.0.0.1", "--port", port, "--cert", str(tmp_path / "x.crt"),
            "--key", str(tmp_path / "x.key"), "--ca", str(tmp_path / "pki" / "ca.crt"),
            str(message),
        )  # fmt: skip
        assert isinstance(result.exception, ConnectionFailed)


class TestVerify:
    def test_a_whole_journal_ends_with_0(self, tmp_path: Path) -> None:
        journal_in(tmp_path, 5)
        result = run("verify", "--data", str(tmp_path))
        assert result.exit_code == 0
        assert result.stdout.startswith("intact: 5 entries")
        assert json.loads(run("verify", "--json", "--data", str(tmp_path)).stdout)["entries"] == 5

    def test_an_altered_one_ends_with_4_and_names_the_place(self, tmp_path: Path) -> None:
        journal_in(tmp_path, 5)
        segment = max((tmp_path / "journal").rglob("*.seg*"), key=lambda path: path.stat().st_size)
        octets = bytearray(segment.read_bytes())
        octets[octets.index(b"xxx") + 50] ^= 1
        segment.chmod(0o600)
        segment.write_bytes(octets)
        result = run("verify", "--data", str(tmp_path))
        assert result.exit_code == 4
        assert "ALTERED" in result.stdout
        assert "sequence 0" in result.stdout

    def test_a_journal_rolled_back_is_found_by_a_head_kept_outside(self, tmp_path: Path) -> None:
        journal_in(tmp_path / "long", 9)
        head = tmp_path / "head.txt"
        heads = sorted((tmp_path / "long" / "journal").rglob("checkpoint*"))
        head.write_bytes(next(path for path in heads if path.is_file()).read_bytes())
        journal_in(tmp_path / "short", 5)
        result = run("verify", "--data", str(tmp_path / "short"), "--checkpoint", str(head))
        assert result.exit_code == 4

    def test_no_journal_ends_with_5(self, tmp_path: Path) -> None:
        result = run("verify", "--data", str(tmp_path))
        assert isinstance(result.exception, IncompleteCheck)


class TestOthers:
    def test_a_search_needs_a_running_repository(self, tmp_path: Path) -> None:
        for command in (("search", "x"), ("show", "1"), ("user", "list"), ("token", "list")):
            result = run(*command, "--data", str(tmp_path))
            assert isinstance(result.exception, JournalUnavailable), command

    def test_certificates_are_made_issued_and_enrolled(self, tmp_path: Path) -> None:
        made = run("pki", "init", "--data", str(tmp_path), "--host", "audit.example.org", "--json")
        assert Path(json.loads(made.stdout)["cert"]).parent == tmp_path / "pki"
        issued = run(
            "pki", "issue", "ct", "--data", str(tmp_path), "--out", str(tmp_path), "--p12"
        )
        assert issued.exit_code == 0
        assert "p12_password " in issued.stdout
        enrolled = run("pki", "enrol", str(tmp_path / "ct.crt"), "--data", str(tmp_path))
        assert Path(enrolled.stdout.strip()).parent == tmp_path / "enrolled"
        assert "certificate " in run("pki", "init", "--out", str(tmp_path / "other")).stdout
        as_json = run(
            "pki", "issue", "x", "--data", str(tmp_path), "--out", str(tmp_path), "--json"
        )
        assert json.loads(as_json.stdout)["p12"] is None

    def test_doctor_names_the_cure(self, tmp_path: Path) -> None:
        result = run("doctor", "--data", str(tmp_path))
        assert result.exit_code == 1
        assert "arr pki init" in result.stdout
        assert json.loads(run("doctor", "--json", "--data", str(tmp_path)).stdout)
        live = run("doctor", "--live", "--data", str(tmp_path))
        assert isinstance(live.exception, IncompleteCheck)

    def test_settings_are_shown(self, tmp_path: Path) -> None:
        assert "syslog.tls_port = 6514" in run("config", "show").stdout
        shown = json.loads(run("config", "show", "--json", "--data", str(tmp_path)).stdout)
        assert shown["data"] == str(tmp_path)
        assert run("config", "check").exit_code == 0
