"""``arr dead-letters``."""

from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from audit.cli.options import (
    F,
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    visible,
)

if TYPE_CHECKING:
    from audit.service.dead_letters import Act

_LOOK_S = 0.2


def _which(command: F) -> F:
    """``RECORDS… | --all``."""
    option = click.option("--all", "all_of_them", is_flag=True, help="All that are listed.")
    return click.argument("records", nargs=-1)(option(command))


@click.group(
    "dead-letters",
    epilog=examples(
        "arr dead-letters list",
        "arr dead-letters retry --all",
        "arr dead-letters drop k3f9x2ab-17",
    ),
)
def letters() -> None:
    """Records that Elasticsearch refused for good. The journal has them all the same."""


@letters.command(
    "list", epilog=examples("arr dead-letters list", "arr dead-letters list --json | jq .reason")
)
@data_option
@json_option
def list_letters(data: Path | None, config_file: Path | None, as_json: bool) -> None:
    """List them with the reason, in the order of the journal. A reason may quote the record.

    With --json one object a line. Where the list was full, a last line on stderr tells from which
    sequence on it is not whole: arr verify --index names those records as well.
    """
    from audit.record.times import format_ns
    from audit.service.dead_letter_list import letters_listed

    found = letters_listed(settings_from(data, config_file))
    for one in found.letters:
        when = format_ns(one.refused)
        if as_json:
            print_json(asdict(one) | {"refused": when})
        else:
            click.echo(visible(f"{one.id}  {when}  {one.reason}"))
    if found.first_beyond is not None:
        click.echo(
            f"the list was full; from sequence {found.first_beyond} on it is not whole", err=True
        )


@letters.command(
    epilog=examples("arr dead-letters retry --all", "arr dead-letters retry k3f9x2ab-17 --json")
)
@_which
@data_option
@json_option
def retry(
    records: tuple[str, ...],
    all_of_them: bool,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Make the documents anew from the journal and put them again. Journaled.

    What is taken leaves the list. Exit code 1 when something was refused again.
    """
    told = _act("retry", records, all_of_them, (data, config_file))
    _show(told, as_json=as_json)
    if told["refused"] or told["unreadable"]:
        raise click.exceptions.Exit(1)


@letters.command(
    epilog=examples("arr dead-letters drop k3f9x2ab-17", "arr dead-letters drop --all --json")
)
@_which
@data_option
@json_option
def drop(
    records: tuple[str, ...],
    all_of_them: bool,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Take them out of the list alone. Journaled.

    The records stay in the journal, and out of the index: arr verify --index still names them.
    """
    _show(_act("drop", records, all_of_them, (data, config_file)), as_json=as_json)


def _act(
    act: "Act",
    records: tuple[str, ...],
    all_of_them: bool,
    where: tuple[Path | None, Path | None],
) -> dict[str, Any]:
    """Ask for it, and wait for what comes of it."""
    from audit.service.dead_letter_list import ask_for, outcome_of

    if bool(records) == all_of_them:
        raise click.UsageError("say which: ids of records, or --all")
    settings = settings_from(*where)
    request = ask_for(settings, act, None if all_of_them else records)
    pause = Event()
    while (told := outcome_of(settings, request)) is None:
        pause.wait(_LOOK_S)
    return told


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    click.echo(
        f"{told['taken']} taken, {told['refused']} refused again, {told['dropped']} dropped, "
        f"{told['unreadable']} unreadable"
    )
