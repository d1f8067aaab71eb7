"""``arr reindex``."""

import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from audit.cli.options import data_option, examples, json_option, print_json, settings_from

if TYPE_CHECKING:
    from audit.settings import Settings

_LOOK_S = 0.5


@click.command(
    epilog=examples(
        "arr reindex",
        "arr reindex --to elasticsearch",
        "arr reindex --check",
        "arr reindex --json",
    )
)
@data_option
@json_option
@click.option(
    "--to",
    type=click.Choice(["embedded", "elasticsearch"]),
    help="Which index to fill (default: the one that answers).",
)
@click.option("--check", is_flag=True, help="Check the embedded index; change nothing.")
@click.option("--wait/--no-wait", default=True, help="Wait until it is done (default).")
def reindex(
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    to: str | None,
    check: bool,
    wait: bool,
) -> None:
    """Build the search index anew from the journal, while the repository runs.

    The old index answers until the new one is complete; nothing stops receiving. With --to an
    index of the other kind is filled; set index.backend to it afterwards, or index.beside to keep
    both filled. --check reads the embedded index and exits with 4 when it is damaged.
    """
    settings = settings_from(data, config_file)
    if check:
        _check(settings, as_json=as_json)
        return
    from audit.service.reindexing import asked_to_reindex

    request = asked_to_reindex(settings, to)
    state: Mapping[str, Any] = {"id": request, "state": "asked"}
    if wait:
        state = _wait(settings, request, as_json=as_json)
    if as_json:
        print_json(dict(state))
    elif wait:
        click.echo(f"{state['position']} records of the journal are in the new index", err=True)


def _wait(settings: "Settings", request: str, *, as_json: bool) -> Mapping[str, Any]:
    """Until the request is done, with its progress.

    Raises:
        IndexUnavailable: it failed, or the process that does it ended.
    """
    from audit.service.reindexing import progress_of

    pause = Event()
    while True:
        state = progress_of(settings, request)
        if state["state"] == "done":
            return state
        if sys.stderr.isatty() and not as_json:
            click.echo(f"\r{state['position']} of {state['of']}", nl=False, err=True)
        pause.wait(_LOOK_S)


def _check(settings: "Settings", *, as_json: bool) -> None:
    from audit.errors import IntegrityViolation
    from audit.service.reindexing import check_index

    found = check_index(settings)
    damaged = {name: fault for name, fault in found.items() if fault}
    if as_json:
        print_json({"months": found, "healthy": not damaged})
    else:
        for name, fault in found.items():
            click.echo(f"{name}: {fault or 'ok'}")
    if damaged:
        raise IntegrityViolation(f"{len(damaged)} files of the index are damaged: arr reindex")
