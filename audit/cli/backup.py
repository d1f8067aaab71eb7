"""``arr backup``."""

from dataclasses import asdict
from pathlib import Path

import click

from audit.cli.options import data_option, examples, json_option, print_json, settings_from


@click.command(
    epilog=examples(
        "arr backup /mnt/backup/2026-02-02 --data /var/lib/arr",
        "arr backup /mnt/backup/2026-02-02 --without-keys",
        "arr backup /mnt/backup/2026-02-02 --renew",
        "arr backup /mnt/backup/2025-02-02 --destroyed",
    )
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@data_option
@json_option
@click.option(
    "--renew",
    is_flag=True,
    help="Write the backup in that folder anew, and so without what was erased since.",
)
@click.option("--without-keys", is_flag=True, help="Leave the private keys out.")
@click.option(
    "--destroyed",
    is_flag=True,
    help="Note that the backup in that folder is no more; copy nothing.",
)
def backup(
    folder: Path,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    renew: bool,
    without_keys: bool,
    destroyed: bool,
) -> None:
    """Copy everything but the index into an empty folder, while the repository runs.

    The copy ends at the newest signed head, and is verified before the command ends.
    """
    from audit.service.backup import back_up
    from audit.service.backup_list import BackupList
    from audit.service.paths import DataPaths

    settings = settings_from(data, config_file)
    if destroyed:
        known = BackupList(DataPaths(settings.data)).forget(folder.absolute())
        click.echo("noted" if known else "no such backup was listed", err=True)
        raise click.exceptions.Exit(0 if known else 1)
    made = back_up(settings, folder, with_keys=not without_keys, renew=renew)
    if as_json:
        print_json(asdict(made))
    else:
        click.echo(f"{made.entries} entries, {made.octets} octets, verified; root {made.root}")
    if not made.journaled:
        click.echo("the repository does not run, so there is no record of this backup", err=True)
    kept = "holds" if made.with_keys else "does not hold"
    click.echo(f"the backup {kept} the private keys", err=True)
