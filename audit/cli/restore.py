"""``arr restore``."""

from pathlib import Path

import click

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    text_of,
)


@click.command(
    epilog=examples(
        "arr restore /mnt/backup/2026-02-02 --data /var/lib/arr",
        "arr restore /mnt/backup/2026-02-02 --checkpoint head-kept-elsewhere.txt",
    )
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@data_option
@json_option
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A signed head kept elsewhere, that the backup must agree with.",
)
def restore(
    folder: Path,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    checkpoints: tuple[Path, ...],
) -> None:
    """Put a backup into an empty data folder; it is verified before and after.

    The index is rebuilt from the journal at the next start.
    """
    from audit.service.backup import restore as put_back
    from audit.service.paths import DataPaths

    settings = settings_from(data, config_file)
    heads = tuple(text_of(file) for file in checkpoints)
    report = put_back(settings, folder, heads)
    if as_json:
        print_json(report.as_dict())
    else:
        click.echo(f"{report.entries} entries restored and verified; root {report.root}")
    key = DataPaths(settings.data).signing_key
    if not key.exists():
        click.echo(f"the backup held no keys: put the log's key to {key} to go on", err=True)
