"""``arr checkpoint``."""

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
    text_of,
    write_file,
)

if TYPE_CHECKING:
    from audit.service.publish_checkpoint import Taken
    from audit.settings import Settings


@click.command(
    epilog=examples(
        "arr checkpoint > head-today.txt",
        "arr checkpoint --key",
        "arr checkpoint --publish /mnt/elsewhere/heads",
        "arr checkpoint --timestamp http://tsa.example.org --timestamp-ca tsa-root.pem",
        "arr checkpoint --consistency head-of-last-week.txt -o growth.txt",
        "arr checkpoint --rotate-key --overlap-days 30",
        "arr checkpoint --check growth.txt --consistency head-of-last-week.txt --log LOGKEY",
    )
)
@data_option
@json_option
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write head or proof to this file.",
)
@click.option("--key", "show_key", is_flag=True, help="Print the log's verifier key instead.")
@click.option(
    "--publish",
    "targets",
    multiple=True,
    metavar="DIR|URL",
    help="Copy the head outside: into a folder, with PUT to a URL, or with POST to post:URL.",
)
@click.option("--timestamp", "authority", metavar="URL", help="Get an RFC 3161 timestamp on it.")
@click.option(
    "--timestamp-ca",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="PEM roots of the timestamping authority, to check its signature.",
)
@click.option(
    "--consistency",
    "old",
    metavar="HEADFILE|SIZE",
    help="Prove that the log grew from this earlier head and did nothing else.",
)
@click.option(
    "--to",
    "new",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Prove it for this later head instead of the newest.",
)
@click.option(
    "--check",
    "check_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Check such a proof, with --consistency HEADFILE and --log; needs no repository.",
)
@click.option("--rotate-key", is_flag=True, help="Replace the log's signing key by a new one.")
@click.option(
    "--overlap-days",
    type=click.FloatRange(0, 3650),
    default=30.0,
    show_default=True,
    help="For how long the old key signs beside the new one.",
)
@click.option("--log", "logs", multiple=True, metavar="VKEY", help="Key of the log, for --check.")
def checkpoint(
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    out: Path | None,
    show_key: bool,
    targets: tuple[str, ...],
    authority: str | None,
    timestamp_ca: Path | None,
    old: str | None,
    new: Path | None,
    check_file: Path | None,
    rotate_key: bool,
    overlap_days: float,
    logs: tuple[str, ...],
) -> None:
    """Print the journal's newest signed head, copy it outside, have it timestamped.

    Keep heads where whoever may alter the journal can't reach them: arr verify --checkpoint FILE
    then finds a journal that was cut or rolled back. A larger head outside is never replaced by a
    smaller one: that ends with exit code 4, since then the journal here was cut.
    """
    if check_file is not None:
        _check(check_file, old, logs, as_json=as_json)
        return
    from audit.service import publish_checkpoint as acts

    settings = settings_from(data, config_file)
    if old is not None:
        file = Path(old)
        earlier: str | int = int(old) if old.isdecimal() else text_of(_present(file))
        later = None if new is None else text_of(new)
        _write(acts.consistency(settings, earlier, later), out)
        return
    if rotate_key:
        _rotate(settings, overlap_days, as_json=as_json)
    elif show_key:
        _write(f"{acts.current_key(settings)}\n", out)
    else:
        taken = acts.take_outside(settings, targets, authority, timestamp_ca)
        outside = bool(targets or authority)
        _show(taken, out, outside=outside, as_json=as_json)


def _show(taken: "Taken", out: Path | None, *, outside: bool, as_json: bool) -> None:
    if as_json:
        print_json(taken.as_dict())
    elif outside:
        for line in taken.lines():
            click.echo(line)
    if out is not None or not (as_json or outside):
        _write(taken.note, out)


def _rotate(settings: "Settings", overlap_days: float, *, as_json: bool) -> None:
    from audit.service.key_replacement import replace_signing_key

    keys = replace_signing_key(settings, overlap_days * 86_400).keys
    if as_json:
        print_json([{"since": key.since, "key": key.verifier.text} for key in keys])
        return
    click.echo(keys[-1].verifier.text)
    click.echo(
        f"this key signs heads from size {keys[-1].since} on; hand it to whoever holds the old "
        "one, and keep the new key file in your backups",
        err=True,
    )


def _check(file: Path, old: str | None, logs: tuple[str, ...], *, as_json: bool) -> None:
    from audit.service.publish_checkpoint import check_growth

    if old is None or not logs:
        raise click.UsageError("--check needs --consistency HEADFILE and --log VKEY")
    grown = check_growth(text_of(file), text_of(_present(Path(old))), logs)
    if as_json:
        print_json({"log": grown.origin, "old_size": grown.old_size, "size": grown.size})
    else:
        click.echo(f"{grown.origin} grew from {grown.old_size} to {grown.size} entries")


def _present(file: Path) -> Path:
    if not file.is_file():
        raise click.BadParameter(
            f"{file} is neither a file nor a size", param_hint="--consistency"
        )
    return file


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        write_file(out, text.encode())
