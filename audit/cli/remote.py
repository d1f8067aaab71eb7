"""Options of commands that ask a repository elsewhere, over its web API."""

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audit.errors import ConfigurationError

if TYPE_CHECKING:
    from audit.client import RepositoryClient

F = TypeVar("F", bound=Callable[..., Any])

TOKEN_VARIABLE = "ARR_TOKEN"  # noqa: S105 - a variable's name
_LONGEST_TOKEN = 4_096


def remote_options(command: F) -> F:
    """``--url``, ``--token-file`` and ``--ca``."""
    for option in (
        click.option(
            "--ca",
            "ca_file",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="PEM certificate of the CA of the repository at --url.",
        ),
        click.option(
            "--token-file",
            type=click.Path(allow_dash=True, dir_okay=False),
            help=f"File with the API token, - for standard input; else {TOKEN_VARIABLE}.",
        ),
        click.option("--url", help="Ask the repository at this address, as https://HOST:8443."),
    ):
        command = option(command)
    return command


def exact_option(command: F) -> F:
    """``--exact``."""
    return click.option(
        "--exact",
        is_flag=True,
        help="By the names in the query alone, not by other names of the same patient or user.",
    )(command)


def client_at(url: str, token_file: str | None, ca_file: Path | None) -> "RepositoryClient":
    """A client of the repository at that address.

    Raises:
        UsageError: there is no token.
        ConfigurationError: address, token or CA can't be used.
    """
    from audit.client import ClientOptions, RepositoryClient

    token = _token(token_file)
    return RepositoryClient(ClientOptions(url=url, token=token, ca_file=ca_file))


def client_of_demo(data: Path) -> "RepositoryClient | None":
    """A client of the demonstration that runs on this data folder; None when none does.

    Raises:
        ConfigurationError: its access file can't be read.
    """
    from audit.client import ClientOptions, RepositoryClient

    file = data / "demo" / "access.json"
    if not file.exists():
        return None
    try:
        access = json.loads(file.read_text("utf-8"))
        ca = Path(access["ca"]) if access["ca"] else None
        options = ClientOptions(url=access["url"], token=access["token"], ca_file=ca)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file} can't be used: {error}; name --url") from error
    return RepositoryClient(options)


def _token(file: str | None) -> str:
    if file == "-":
        return sys.stdin.readline(_LONGEST_TOKEN).strip()
    if file is not None:
        return _read_token(Path(file))
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise click.UsageError(f"--url needs an API token: give --token-file or {TOKEN_VARIABLE}")
    return token.strip()


def _read_token(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                click.echo(f"warning: others can read {file}; chmod 600 it", err=True)
            return opened.readline(_LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: the token can't be read: {error}") from error
