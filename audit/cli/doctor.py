"""``arr doctor``."""

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

_SIGNS = {"ok": "✔ ok     ", "warning": "⚠ warning", "error": "✖ error  "}


@click.command(epilog=examples("arr doctor", "arr doctor --json", "arr doctor --live"))
@data_option
@json_option
@click.option("--live", is_flag=True, help="Only say whether it runs and takes records.")
def doctor(data: Path | None, config_file: Path | None, as_json: bool, live: bool) -> None:
    """Check paths, permissions, certificates, disk, clock, ports and processes; name the cure.

    Exit code 0 when nothing is an error, else 1; with --live 5 when it takes no records.
    """
    from audit.service.doctor import Grade, check_live, examine

    settings = settings_from(data, config_file)
    if live:
        check_live(settings)
        return
    found = examine(settings)
    if as_json:
        print_json([diagnosis.as_dict() for diagnosis in found])
    else:
        for diagnosis in found:
            what = f"{visible(diagnosis.subject)}: {visible(diagnosis.found)}"
            click.echo(f"{_SIGNS[diagnosis.grade]}  {what}")
            if diagnosis.cure:
                click.echo(f"             → {visible(diagnosis.cure)}")
    if any(diagnosis.grade is Grade.ERROR for diagnosis in found):
        raise click.exceptions.Exit(1)
