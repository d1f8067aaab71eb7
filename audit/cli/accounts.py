"""``arr user`` and ``arr token``."""

import os
import sys
from pathlib import Path

import click

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    visible,
)

DAY_S = 86_400.0
_SCOPES_HELP = "What it may do; may be given several times (default: all that only read)."


@click.group(epilog=examples("arr user add officer", "arr user list", "arr user password officer"))
def user() -> None:
    """Manage local accounts. Every change is journaled, so the repository must be running."""


@user.command(
    epilog=examples("arr user add officer", "arr user add officer --password-file pw.txt")
)
@click.argument("name")
@data_option
@click.option("--display-name", default="", help="The person's name.")
@click.option("--scope", "scopes", multiple=True, help=_SCOPES_HELP)
@click.option("--password-file", help="File with the password; - for standard input.")
def add(
    name: str,
    data: Path | None,
    config_file: Path | None,
    display_name: str,
    scopes: tuple[str, ...],
    password_file: str | None,
) -> None:
    """Add an account; the password is asked for, or read from a file or ARR_PASSWORD."""
    from audit.service.operator import administering

    chosen = _scopes(scopes)
    with administering(settings_from(data, config_file)) as administration:
        password = _password(password_file)
        administration.record(f"Account {name} is added with scopes {' '.join(sorted(chosen))}")
        account = administration.state.accounts.create(
            name, password, display_name=display_name, scopes=chosen
        )
    click.echo(f"account {account.name} added", err=True)


@user.command("list", epilog=examples("arr user list", "arr user list --json"))
@data_option
@json_option
def list_users(data: Path | None, config_file: Path | None, as_json: bool) -> None:
    """List the accounts."""
    from audit.service.operator import administering

    with administering(settings_from(data, config_file)) as administration:
        for account in administration.state.accounts.all():
            row = {
                "name": account.name,
                "display_name": account.display_name,
                "enabled": account.enabled,
                "scopes": sorted(account.scopes),
            }
            if as_json:
                print_json(row)
            else:
                state = "" if account.enabled else "  (disabled)"
                click.echo(visible(f"{account.name}  {account.display_name}{state}"))


@user.command(epilog=examples("arr user password officer"))
@click.argument("name")
@data_option
@click.option("--password-file", help="File with the password; - for standard input.")
def password(
    name: str, data: Path | None, config_file: Path | None, password_file: str | None
) -> None:
    """Give an account a new password; its sessions end."""
    from audit.service.operator import administering

    with administering(settings_from(data, config_file)) as administration:
        fresh = _password(password_file)
        administration.record(f"The password of account {name} is changed")
        administration.state.accounts.set_password(name, fresh)


@user.command(epilog=examples("arr user remove officer"))
@click.argument("name")
@data_option
def remove(name: str, data: Path | None, config_file: Path | None) -> None:
    """Remove an account; its sessions end."""
    from audit.service.operator import administering

    with administering(settings_from(data, config_file)) as administration:
        administration.record(f"Account {name} is removed")
        administration.state.accounts.remove(name)


@click.group(
    epilog=examples("arr token create siem --scope siem:read --days 365", "arr token list")
)
def token() -> None:
    """Manage API tokens. Every change is journaled, so the repository must be running."""


@token.command(epilog=examples("arr token create siem --scope siem:read --days 365"))
@click.argument("name")
@data_option
@json_option
@click.option("--scope", "scopes", multiple=True, help=_SCOPES_HELP)
@click.option("--days", default=90.0, show_default=True, help="How long it is valid.")
def create(
    name: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    scopes: tuple[str, ...],
    days: float,
) -> None:
    """Make a token and print it once: only its hash is kept."""
    from audit.service.operator import administering, operator_name

    chosen = _scopes(scopes)
    with administering(settings_from(data, config_file)) as administration:
        administration.record(f"Token {name} is made with scopes {' '.join(sorted(chosen))}")
        made = administration.state.tokens.create(name, operator_name(), chosen, days * DAY_S)
    if as_json:
        print_json({"id": made.token.id, "token": made.secret, "scopes": sorted(chosen)})
    else:
        click.echo(made.secret)


@token.command("list", epilog=examples("arr token list", "arr token list --json"))
@data_option
@json_option
def list_tokens(data: Path | None, config_file: Path | None, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    from audit.record.times import format_ns
    from audit.service.operator import administering

    with administering(settings_from(data, config_file)) as administration:
        for one in administration.state.tokens.all():
            row = {
                "id": one.id,
                "name": one.name,
                "owner": one.owner,
                "scopes": sorted(one.scopes),
                "expires": format_ns(one.expires_at),
            }
            if as_json:
                print_json(row)
            else:
                click.echo(visible(f"{one.id}  {one.name}  until {row['expires']}"))


@token.command(epilog=examples("arr token revoke ID"))
@click.argument("token_id")
@data_option
def revoke(token_id: str, data: Path | None, config_file: Path | None) -> None:
    """End a token."""
    from audit.service.operator import administering

    with administering(settings_from(data, config_file)) as administration:
        administration.record(f"Token {token_id} is revoked")
        administration.state.tokens.revoke(token_id)


def _scopes(given: tuple[str, ...]) -> frozenset[str]:
    from audit.query.access import READ_SCOPES, scopes_named

    if not given:
        return frozenset(READ_SCOPES)
    try:
        return frozenset(scopes_named(frozenset(given)))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _password(file: str | None) -> str:
    if file == "-":
        return sys.stdin.readline().rstrip("\n")
    if file is not None:
        return Path(file).read_text(encoding="utf-8").rstrip("\n")
    if "ARR_PASSWORD" in os.environ:
        return os.environ["ARR_PASSWORD"]
    if not sys.stdin.isatty():
        raise click.UsageError("no terminal to ask at: give --password-file or ARR_PASSWORD")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
