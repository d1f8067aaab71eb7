"""Options that several commands share, and how they print."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from audit.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

_ESCAPED = {
    *range(0x20),
    *range(0x7F, 0xA0),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
} - {0x0A}


def config_option(command: F) -> F:
    """``--config``."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="TOML file of settings.",
    )(command)


def data_option(command: F) -> F:
    """``--data`` and ``--config``."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder that holds everything kept (default ./arr-data).",
    )(config_option(command))


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def examples(*lines: str) -> str:
    """The epilog of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def settings_from(data: Path | None, config_file: Path | None, **flags: Any) -> "Settings":
    """The settings that hold for this call; ``flags`` by name with ``__`` for the dot."""
    from audit.settings import journal_keys, load

    named = {name.replace("__", "."): value for name, value in flags.items()}
    settings = load(config_file, {"data": data, **named})
    if settings.journal.key_file is not None or journal_keys() is not None:
        from audit.service.journal_keys import use_journal_keys

        use_journal_keys(settings)
    return settings


def text_of(file: Path) -> str:
    """The text of a file of evidence.

    Raises:
        IntegrityViolation: it is no text.
    """
    from audit.errors import IntegrityViolation

    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise IntegrityViolation(f"{file} is no text") from error


def write_file(file: Path, octets: bytes) -> None:
    """Write what a command was told to write to a file.

    Raises:
        StorageError: it can't be written.
    """
    from audit.errors import StorageError

    try:
        file.write_bytes(octets)
    except OSError as error:
        raise StorageError(f"{file} can't be written: {error.strerror}") from error


def visible(text: str) -> str:
    """The text with control and direction-changing characters shown as escapes.

    A message from a stranger must not steer the terminal that shows it.
    """
    return "".join(f"\\u{ord(c):04x}" if ord(c) in _ESCAPED else c for c in text)


@contextmanager
def pointing(query: str) -> Iterator[None]:
    """Show where a query can't be read, before the error that says why."""
    from audit.errors import QuerySyntaxError
    from audit.query.language_fault import pointed

    try:
        yield
    except QuerySyntaxError as error:
        line, caret = pointed(query, error.column)
        click.echo(f"{visible(line)}\n{caret}^", err=True)
        raise


def print_json(value: Any) -> None:
    """One JSON object on one line of standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))
