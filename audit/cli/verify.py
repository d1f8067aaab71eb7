"""``arr verify``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    from audit.journal.verify import VerifyReport


@click.command(
    epilog=examples(
        "arr verify --data /var/lib/arr",
        "arr verify --json",
        "arr verify --checkpoint head-of-last-week.txt",
    )
)
@data_option
@json_option
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A signed head kept elsewhere: finds a journal that was rolled back.",
)
def verify(
    data: Path | None, config_file: Path | None, as_json: bool, checkpoints: tuple[Path, ...]
) -> None:
    """Recompute checksums, leaf hashes, tree and signed heads from the files alone.

    Writes nothing and may run beside the repository. Exit code 0 when all is whole, 4 when
    something below a signed head is missing or altered, 5 when not everything could be read.
    """
    from audit.journal.verify import VerifyOptions
    from audit.journal.verify import verify as check
    from audit.service.paths import DataPaths

    paths = DataPaths(settings_from(data, config_file).data)
    heads = tuple(file.read_text(encoding="utf-8") for file in checkpoints)
    if as_json or not sys.stderr.isatty():
        report = check(paths.journal, VerifyOptions(known_heads=heads))
    else:
        with click.progressbar(length=100, label="verifying", file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.update(int(100 * done / max(1, total)) - bar.pos)

            report = check(paths.journal, VerifyOptions(known_heads=heads, on_progress=show))
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report)
    raise click.exceptions.Exit(report.exit_code)


def _print(report: "VerifyReport") -> None:
    whole = "PARTLY CHECKED" if report.unchecked else "intact"
    state = whole if report.intact else f"ALTERED: {report.violation_count} violations"
    click.echo(
        f"{state}: {report.entries} entries in {report.segments} segments, "
        f"{report.covered} of them below the newest of {report.heads} signed heads"
    )
    click.echo(f"origin {report.origin}\nroot {report.root}\nkey {report.verifier_key}")
    if report.removed:
        click.echo(f"{report.removed} bodies were lawfully removed, as signed statements tell")
    for violation in report.violations:
        where = [violation.file]
        if violation.sequence is not None:
            where.append(f"sequence {violation.sequence}")
        if violation.offset is not None:
            where.append(f"offset {violation.offset}")
        click.echo(visible(f"✖ {', '.join(where)}: {violation.problem}"))
    for missing in report.unchecked:
        click.echo(visible(f"? not checked: {missing}"))
    for note in report.notes:
        click.echo(visible(f"· {note}"))
