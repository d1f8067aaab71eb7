"""``arr user`` and ``arr token``."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    visible,
)

if TYPE_CHECKING:
    from audit.state.grants import Grants

DAY_S = 86_400.0

F = TypeVar("F", bound=Callable[..., Any])


def grant_options(command: F) -> F:
    """``--role``, ``--scope``, ``--site`` and ``--source``, each as often as needed."""
    for name, meaning in (
        ("--source", "AuditSourceID whose records it sees (default: every one)."),
        ("--site", "AuditEnterpriseSiteID whose records it sees (default: every one)."),
        ("--scope", "A single permission (default without a role: all that only read)."),
        ("--role", "A named set of permissions: reviewer, investigator, siem, operator …"),
    ):
        command = click.option(name, f"{name[2:]}s", multiple=True, help=meaning)(command)
    return command


@click.group(epilog=examples("arr user add officer", "arr user list", "arr user password officer"))
def user() -> None:
    """Manage local accounts. Every change is journaled, so the repository must be running."""


@user.command(
    epilog=examples(
        "arr user add officer --role investigator",
        "arr user add reviewer --role reviewer --site radiology",
        "arr user add siem-feed --role siem --service",
        "arr user add glass --role investigator --emergency --password-file pw.txt",
    )
)
@click.argument("name")
@data_option
@click.option("--display-name", default="", help="The person's name.")
@grant_options
@click.option(
    "--emergency",
    is_flag=True,
    help="For breaking the glass: signing in takes a reason and raises an alert.",
)
@click.option(
    "--service",
    is_flag=True,
    help="For a program with a client certificate: nobody can sign in by a password.",
)
@click.option("--password-file", help="File with the password; - for standard input.")
def add(
    name: str,
    data: Path | None,
    config_file: Path | None,
    display_name: str,
    emergency: bool,
    service: bool,
    password_file: str | None,
    **named: tuple[str, ...],
) -> None:
    """Add an account; the password is asked for, or read from a file or ARR_PASSWORD."""
    from audit.service.operator import administering

    grants = _grants(**named)
    with administering(settings_from(data, config_file)) as administration:
        password = token_urlsafe(32) if service else _password(password_file)
        kind = "Emergency account" if emergency else "Account"
        administration.record(f"{kind} {name} is added with {described(grants)}")
        account = administration.state.accounts.create(
            name, password, display_name=display_name, grants=grants, emergency=emergency
        )
    click.echo(f"account {account.name} added", err=True)


@user.command(
    epilog=examples(
        "arr user grant officer --role reviewer --role auditor",
        "arr user grant officer --role reviewer --site radiology",
    )
)
@click.argument("name")
@data_option
@grant_options
def grant(
    name: str, data: Path | None, config_file: Path | None, **named: tuple[str, ...]
) -> None:
    """Change what an account may do; it holds at once, in its sessions too."""
    from audit.service.operator import administering

    grants = _grants(**named)
    with administering(settings_from(data, config_file)) as administration:
        administration.record(f"Account {name} now has {described(grants)}")
        administration.state.accounts.set_grants(name, grants)


@user.command(epilog=examples("arr user disable officer"))
@click.argument("name")
@data_option
def disable(name: str, data: Path | None, config_file: Path | None) -> None:
    """Let an account no longer sign in; its sessions end."""
    _set_enabled(name, data, config_file, enabled=False)


@user.command(epilog=examples("arr user enable officer"))
@click.argument("name")
@data_option
def enable(name: str, data: Path | None, config_file: Path | None) -> None:
    """Let a disabled account sign in again."""
    _set_enabled(name, data, config_file, enabled=True)


def _set_enabled(name: str, data: Path | None, config_file: Path | None, *, enabled: bool) -> None:
    from audit.service.operator import administering

    with administering(settings_from(data, config_file)) as administration:
        administration.record(f"Account {name} is {'enabled' if enabled else 'disabled'}")
        administration.state.accounts.set_enabled(name, enabled=enabled)


@user.command(epilog=examples("arr user sessions", "arr user sessions officer --json"))
@click.argument("name", required=False)
@data_option
@json_option
def sessions(name: str | None, data: Path | None, config_file: Path | None, as_json: bool) -> None:
    """List who is signed in: everybody, or one account."""
    from audit.record.times import format_ns
    from audit.service.operator import administering

    with administering(settings_from(data, config_file)) as administration:
        for one in administration.state.sessions.all(name):
            row = {
                "id": one.id,
                "name": one.name,
                "issuer": one.issuer,
                "address": one.address,
                "emergency": one.emergency,
                "since": format_ns(one.created_at),
                "used": format_ns(one.used_at),
                "ends": format_ns(one.ends_at),
            }
            if as_json:
                print_json(row)
            else:
                click.echo(visible(f"{one.id}  {one.name}  {one.address}  since {row['since']}"))


@user.command(
    "sign-out", epilog=examples("arr user sign-out 0f9c…", "arr user sign-out --account officer")
)
@click.argument("session_id", required=False)
@click.option("--account", help="End every session of this account instead.")
@data_option
def sign_out(
    session_id: str | None, account: str | None, data: Path | None, config_file: Path | None
) -> None:
    """End a session at once, or all of an account."""
    from audit.service.operator import administering

    if (session_id is None) == (account is None):
        raise click.UsageError("name a session, or an account by --account")
    with administering(settings_from(data, config_file)) as administration:
        if session_id is not None:
            administration.record(f"Session {session_id} is ended")
            administration.state.sessions.revoke(session_id)
        elif account is not None:
            administration.record(f"All sessions of {account} are ended")
            ended = administration.state.sessions.end_all(account)
            click.echo(f"{ended} sessions ended", err=True)


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
                "emergency": account.emergency,
                **account.grants.as_dict(),
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


@click.group(epilog=examples("arr token create siem --role siem --days 365", "arr token list"))
def token() -> None:
    """Manage API tokens. Every change is journaled, so the repository must be running."""


@token.command(
    epilog=examples(
        "arr token create siem --role siem --days 365",
        "arr token create nightly --scope events:read --source PACS1",
    )
)
@click.argument("name")
@data_option
@json_option
@grant_options
@click.option("--days", default=90.0, show_default=True, help="How long it is valid.")
def create(
    name: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    days: float,
    **named: tuple[str, ...],
) -> None:
    """Make a token and print it once: only its hash is kept."""
    from audit.service.operator import administering, operator_name

    grants = _grants(**named)
    with administering(settings_from(data, config_file)) as administration:
        administration.record(f"Token {name} is made with {described(grants)}")
        made = administration.state.tokens.create(name, operator_name(), grants, days * DAY_S)
    if as_json:
        print_json({"id": made.token.id, "token": made.secret, **grants.as_dict()})
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
                **one.grants.as_dict(),
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


def _grants(
    *,
    roles: tuple[str, ...],
    scopes: tuple[str, ...],
    sites: tuple[str, ...],
    sources: tuple[str, ...],
) -> "Grants":
    from audit.query.access import READ_SCOPES
    from audit.query.admission import check_grants
    from audit.state.grants import Grants

    try:
        return check_grants(
            Grants(
                scopes=frozenset(scopes or (() if roles else READ_SCOPES)),
                roles=frozenset(roles),
                sites=frozenset(sites),
                sources=frozenset(sources),
            )
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def described(grants: "Grants") -> str:
    """Grants in words, for the record of a change."""
    named = ((what, names) for what, names in grants.as_dict().items() if names)
    return "; ".join(f"{what} {' '.join(names)}" for what, names in named)


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
