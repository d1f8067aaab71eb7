"""``arr report push``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from audit.settings import Settings


@click.command(
    epilog=examples(
        "arr report push",
        "arr report push --destination soc --json | jq '.destinations[0].dead_letters'",
    )
)
@data_option
@json_option
@click.option("--destination", help="Only this one.")
def push(
    data: Path | None, config_file: Path | None, as_json: bool, destination: str | None
) -> None:
    """Show how far each destination of the SIEM push is, and what could not be sent.

    Lag counts journal entries that the destination has not confirmed. A dead letter is a record
    that is too long for it, or that could not be mapped.
    """
    settings = settings_from(data, config_file)
    known = settings.siem.destinations
    if destination is not None and destination not in known:
        raise click.UsageError(
            f"there is no destination {destination}; there are: {', '.join(known) or 'none'}"
        )
    names = known if destination is None else [destination]
    found = [_state(settings, name) for name in names]
    if as_json:
        print_json({"destinations": found})
        return
    if not found:
        click.echo("no destinations are configured (siem.destinations)", err=True)
    for one in found:
        _print(one)


def _state(settings: "Settings", name: str) -> dict[str, Any]:
    """What the running process says of a destination, and its dead letters from disk."""
    from dataclasses import asdict

    from audit.service.paths import DataPaths
    from audit.service.status import read_status
    from audit.siem.kept_place import dead_letters

    paths = DataPaths(settings.data)
    status = read_status(paths.status("push"))
    running = status is not None and status.fresh
    told = status.detail.get(name) if status is not None and running else None
    destination = settings.siem.destinations[name]
    return {
        "name": name,
        "to": f"{destination.host}:{destination.port}",
        "format": destination.format,
        "running": running,
        "state": told if isinstance(told, dict) else None,
        "dead_letters": [asdict(one) for one in dead_letters(paths.push / f"{name}.dead.ndjson")],
    }


def _print(one: dict[str, Any]) -> None:
    state, letters = one["state"] or {}, one["dead_letters"]
    place = (
        f"lag {state['lag']}, {'connected' if state['connected'] else 'not connected'}"
        if state
        else "its process does not run"
        if not one["running"]
        else "not begun yet"
    )
    click.echo(f"{one['name']}  {one['format']} to {one['to']}: {place}")
    if reason := state.get("reason"):
        click.echo(f"  {visible(str(reason))}")
    click.echo(f"  dead letters: {len(letters)}")
    for letter in letters:
        click.echo(visible(f"  {letter['received']}  {letter['id']}  {letter['reason']}"))
