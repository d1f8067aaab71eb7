"""The frame of the command line: exit codes, help, start-up time, terminal safety."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from audit import __version__
from audit.bench.machine import is_compiled
from audit.cli import main
from audit.cli.options import visible


def ended(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["version"])
    assert capsys.readouterr().out == f"{__version__}\n"
    main(["version", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told == {"version": __version__, "compiled": is_compiled()}


def test_help_lists_the_commands_without_loading_them(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    shown = capsys.readouterr().out
    assert "Exit codes: 0 ok" in shown
    assert "arr demo" in shown
    assert "demo-hospital" not in shown


def test_a_usage_error_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("serach") == 2
    assert ended("version", "--nonsense") == 2
    assert capsys.readouterr().out == ""


def test_a_configuration_error_ends_with_6(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARR_SYSLOG__TLS_PROT", "1")
    assert ended("config", "check") == 6
    assert "did you mean syslog.tls_port" in capsys.readouterr().err


def test_what_a_command_finds_is_the_exit_code(tmp_path: Path) -> None:
    assert ended("validate", str(__file__)) == 1
    assert ended("doctor", "--data", str(tmp_path)) == 1


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audit.cli.config.settings_from", interrupt)
    assert ended("config", "check") == 130


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "audit.cli", "validate", "--list-rules"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        process.wait(30)
        assert process.stderr.read() == b""


def test_the_version_needs_no_heavy_library() -> None:
    code = (
        "import sys, contextlib\n"
        "from audit.cli import main\n"
        "main(['version'])\n"
        "heavy = {'lxml', 'fastapi', 'pynetdicom', 'elasticsearch', 'sqlalchemy', 'cryptography',"
        " 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢\n", "plain ü 漢\n"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("a\rb\x9bc", "a\\u000db\\u009bc"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
    ],
)
def test_a_message_can_not_steer_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown
