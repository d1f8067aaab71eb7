"""``arr verify``."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    text_of,
    visible,
)

if TYPE_CHECKING:
    from audit.journal.verify import VerifyReport
    from audit.journal.verify_report import Violation
    from audit.settings import Settings


@click.command(
    epilog=examples(
        "arr verify --data /var/lib/arr",
        "arr verify --json",
        "arr verify --index",
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
@click.option(
    "--index",
    "with_index",
    is_flag=True,
    help="Also make every document of the search index anew from the journal, and compare, "
    "both ways.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Processes that check segments; one a core without this.",
)
def verify(
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    checkpoints: tuple[Path, ...],
    with_index: bool,
    workers: int | None,
) -> None:
    """Recompute checksums, leaf hashes, tree and signed heads from the files alone.

    Writes nothing and may run beside the repository. Exit code 0 when all is whole, 4 when
    something below a signed head is missing or altered, 5 when not everything could be read.
    """
    from audit.journal.verify import VerifyOptions
    from audit.journal.verify import verify as check
    from audit.service.paths import DataPaths

    settings = settings_from(data, config_file)
    with _progress("verifying") as show:
        report = check(
            DataPaths(settings.data).journal,
            VerifyOptions(
                known_heads=tuple(text_of(file) for file in checkpoints),
                workers=workers or len(os.sched_getaffinity(0)),
                on_progress=show,
            ),
        )
    told = report.as_dict()
    if not as_json:
        _print(report)
    codes = {report.exit_code}
    if with_index:
        index, code = _check_index(settings, as_json=as_json)
        told["index"] = index
        codes.add(code)
    if as_json:
        print_json(told)
    raise click.exceptions.Exit(next(code for code in (4, 5, 0) if code in codes))


def _check_index(settings: "Settings", *, as_json: bool) -> tuple[dict[str, Any], int]:
    """What the comparison found, as JSON, and its exit code."""
    from audit.errors import IncompleteCheck
    from audit.service.verify_index import check_index

    try:
        with _progress("comparing the index") as show:
            report = check_index(settings, show)
    except IncompleteCheck as error:
        if not as_json:
            click.echo(visible(f"? not checked: {error}"))
        return {"agrees": None, "reason": str(error)}, error.exit_code
    if not as_json:
        state = f"{report.disagreements} DISAGREEMENTS" if report.disagreements else "agrees"
        click.echo(
            f"index: {state}; {report.documents} documents compared, up to sequence "
            f"{report.position}"
        )
        for name, problem in report.named:
            click.echo(visible(f"✖ {name} {problem}"))
    return report.as_dict(), report.exit_code


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
        yield lambda done, total: bar.update(int(1000 * done / max(1, total)) - bar.pos)


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
    if report.first_bad is not None:
        click.echo(visible(f"first bad entry: {_place(report.first_bad)}"))
    for violation in report.violations:
        click.echo(visible(f"✖ {_place(violation)}: {violation.problem}"))
    for missing in report.unchecked:
        click.echo(visible(f"? not checked: {missing}"))
    for note in report.notes:
        click.echo(visible(f"· {note}"))


def _place(violation: "Violation") -> str:
    where = [violation.file]
    if violation.sequence is not None:
        where.append(f"sequence {violation.sequence}")
    if violation.offset is not None:
        where.append(f"offset {violation.offset}")
    return ", ".join(where)
