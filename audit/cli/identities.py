"""``arr identities``."""

import csv
import sys
from pathlib import Path
from typing import TextIO

import click

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    visible,
)

kind_option = click.option(
    "--kind",
    type=click.Choice(["patient", "person"]),
    default="patient",
    show_default=True,
    help="Identifiers of patients, or of people who act.",
)
assigner_option = click.option("--assigner", default="", help="Who assigned the identifier.")


@click.group(
    epilog=examples(
        "arr identities import patients.csv",
        "arr identities show P48003 --assigner 1.2.276.0.76",
    )
)
def identities() -> None:
    """Say which identifiers are of one patient or person. Every change is journaled."""


@identities.command(
    "import",
    epilog=examples(
        "arr identities import patients.csv",
        "arr identities import --kind person staff.csv",
        "printf 'person,identifier,assigner\\n1,A,x\\n1,B,y\\n' | arr identities import -",
    ),
)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@kind_option
@data_option
@json_option
def take_in(
    file: TextIO,
    kind: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Take links from a CSV file with the columns person, identifier and assigner.

    Rows of the same person are one patient, or one who acts. All of the file or, when a line is
    wrong, nothing.
    """
    from audit.query.identity_csv import links_of_csv
    from audit.record.build import Alert
    from audit.service.operator import administering, operator_name

    name = Path(str(file.name)).name
    links = links_of_csv(file, name)
    with administering(settings_from(data, config_file)) as administration:
        what = f"{len(links)} identities of {kind}s are linked, from a file"
        administration.record(what, Alert.SOFTWARE_CONFIGURATION)
        version, changed = administration.state.aliases.link(
            kind,  # type: ignore[arg-type]  # one of the choices
            links,
            by=operator_name(),
            source="csv",
        )
    if as_json:
        print_json({"version": version, "links": len(links), "changed": changed})
    click.echo(f"{len(links)} links, {changed} names new or moved; version {version}", err=True)


@identities.command(epilog=examples("arr identities show P48003", "arr identities show --json P1"))
@click.argument("identifier")
@assigner_option
@kind_option
@data_option
@json_option
def show(
    identifier: str,
    assigner: str,
    kind: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Print all names of whoever has this one, as CSV that can be imported."""
    from audit.query.identity_csv import HEADER, csv_rows
    from audit.service.operator import administering
    from audit.state.aliases import Name

    with administering(settings_from(data, config_file)) as administration:
        administration.record(f"The identities of a {kind} are shown to an operator")
        found = administration.state.aliases.find(
            kind,  # type: ignore[arg-type]  # one of the choices
            Name(identifier, assigner),
        )
    rows = [row for place, one in enumerate(found, 1) for row in csv_rows(str(place), one.names)]
    if as_json:
        print_json({"people": [dict(zip(HEADER, row, strict=True)) for row in rows]})
    elif rows:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows([visible(cell) for cell in row] for row in rows)
    if not rows:
        click.echo(f"{identifier}: no other name is known", err=True)
        sys.exit(1)


@identities.command(epilog=examples("arr identities remove P48003 --assigner 1.2.276.0.76"))
@click.argument("identifier")
@assigner_option
@kind_option
@data_option
def remove(
    identifier: str, assigner: str, kind: str, data: Path | None, config_file: Path | None
) -> None:
    """Forget a name; the others of the same patient or person stay together."""
    from audit.record.build import Alert
    from audit.service.operator import administering, operator_name
    from audit.state.aliases import Name

    with administering(settings_from(data, config_file)) as administration:
        administration.record(
            f"An identity of a {kind} is forgotten", Alert.SOFTWARE_CONFIGURATION
        )
        version, changed = administration.state.aliases.unlink(
            kind,  # type: ignore[arg-type]  # one of the choices
            Name(identifier, assigner),
            by=operator_name(),
        )
    if not changed:
        click.echo(f"{identifier}: no such name is known with this assigner", err=True)
        sys.exit(1)
    click.echo(f"{identifier} is forgotten; version {version}", err=True)
