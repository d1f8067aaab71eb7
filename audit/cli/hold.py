"""``arr hold``."""

import time
from dataclasses import asdict
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


@click.group(
    epilog=examples(
        "arr hold add --case 3O17/26 --patient 4711 --reason 'claim of 2026-02-02'",
        "arr hold list",
        "arr hold release --case 3O17/26",
    )
)
def hold() -> None:
    """Keep records of a case from being removed. Changes are journaled."""


@hold.command(
    epilog=examples(
        "arr hold add --case 3O17/26 --patient 4711 --reason 'claim of 2026-02-02'",
        "arr hold add --case 3O17/26 --record k3f9x2ab-17 --record k3f9x2ab-18 --reason evidence",
    )
)
@data_option
@click.option("--case", required=True, help="File number or name of the case.")
@click.option("--reason", required=True, help="Why.")
@click.option("--patient", multiple=True, help="Patient identifier.")
@click.option("--study", multiple=True, help="Study Instance UID.")
@click.option("--user", multiple=True, help="User, as searches find it.")
@click.option("--record", multiple=True, help="Id of one record of the case.")
def add(
    data: Path | None,
    config_file: Path | None,
    case: str,
    reason: str,
    **values: tuple[str, ...],
) -> None:
    """Lay holds on a patient's, study's or user's records, or on single ones."""
    from audit.record.build import Alert
    from audit.service.backends import open_reader
    from audit.service.hold_records import Hold, laid_text
    from audit.service.holds import HoldFile, new_hold_id
    from audit.service.operator import administering, operator_name
    from audit.service.paths import DataPaths

    chosen = {field: given for field, given in values.items() if given}
    if not chosen:
        raise click.UsageError("say of what: --patient, --study, --user or --record")
    settings = settings_from(data, config_file)
    paths = DataPaths(settings.data)
    with administering(settings) as administration, open_reader(paths) as reader:
        file = HoldFile(paths, reader)
        file.read()
        for field, given in chosen.items():
            laid = Hold(
                id=new_hold_id(),
                case=case,
                reason=reason,
                field=field,
                values=given,
                since=time.time_ns(),
                by=operator_name(),
            )
            administration.record(laid_text(laid), Alert.OBJECT_SECURITY_ATTRIBUTES_CHANGED)
            click.echo(laid.id)
        file.refresh()


@hold.command("list", epilog=examples("arr hold list", "arr hold list --json"))
@data_option
@json_option
def list_holds(data: Path | None, config_file: Path | None, as_json: bool) -> None:
    """List the holds. They name patients; the list is for who may know them."""
    from audit.service.backends import open_reader
    from audit.service.holds import HoldFile
    from audit.service.paths import DataPaths

    paths = DataPaths(settings_from(data, config_file).data)
    with open_reader(paths) as reader:
        holds = HoldFile(paths, reader).read()
    for one in holds.all:
        if as_json:
            print_json(asdict(one))
        else:
            what = f"{one.field} {', '.join(one.values)}"
            click.echo(visible(f"{one.id}  case {one.case}  {what}  {one.reason}"))


@hold.command(epilog=examples("arr hold release hold-1a2b3c4d", "arr hold release --case 3O17/26"))
@click.argument("hold_id", required=False, default="")
@data_option
@click.option("--case", default="", help="All holds of a case.")
def release(hold_id: str, data: Path | None, config_file: Path | None, case: str) -> None:
    """End a hold, or all of a case."""
    from audit.record.build import Alert
    from audit.service.backends import open_reader
    from audit.service.hold_records import released_text
    from audit.service.holds import HoldFile
    from audit.service.operator import administering
    from audit.service.paths import DataPaths

    if bool(hold_id) == bool(case):
        raise click.UsageError("say which: an id, or --case")
    settings = settings_from(data, config_file)
    paths = DataPaths(settings.data)
    with administering(settings) as administration, open_reader(paths) as reader:
        file = HoldFile(paths, reader)
        ended = file.read().named(hold_id=hold_id, case=case)
        administration.record(released_text(ended), Alert.OBJECT_SECURITY_ATTRIBUTES_CHANGED)
        file.refresh()
    click.echo(f"{len(ended)} holds released", err=True)
