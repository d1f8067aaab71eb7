"""``arr prove``."""

import sys
from pathlib import Path

import click

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    text_of,
    visible,
    write_file,
)


@click.command(
    epilog=examples(
        "arr prove k3f9x2ab-1042 -o record-1042.tlog-proof",
        "arr show k3f9x2ab-1042 --raw > record-1042.bin",
        "arr prove --check record-1042.tlog-proof --message record-1042.bin --key LOGKEY",
        "arr prove --write-verifier verify_evidence.py",
    )
)
@click.argument("record_id", required=False)
@data_option
@json_option
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the proof to this file.",
)
@click.option(
    "--check",
    "check_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Check a proof instead of making one; needs no repository.",
)
@click.option(
    "--message",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The message's octets as received (arr show ID --raw), to check the proof with.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="VKEY",
    help="Verifier key of the log, from elsewhere; else that of the journal under --data.",
)
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="VKEY",
    help="Key of a witness that must have cosigned the head.",
)
@click.option(
    "--write-verifier",
    "verifier_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the stand-alone verifier, one Python file without dependencies.",
)
def prove(
    record_id: str | None,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    out: Path | None,
    check_file: Path | None,
    message: Path | None,
    keys: tuple[str, ...],
    witnesses: tuple[str, ...],
    verifier_file: Path | None,
) -> None:
    """Show that a record stands unaltered in the log, or check such a proof.

    The proof is a C2SP tlog-proof: the record's envelope, its path to the root, and a signed head,
    cosigned when witnesses are configured. RECORD_ID may be a bare sequence. While the repository
    runs, the look is recorded first.

    With --check the exit code is 0 when all given parts match, 4 when they do not, and 5 when no
    key of the log is known, so that nothing tells who signed the head.
    """
    if verifier_file is not None:
        from audit.journal.standalone import verifier_source

        write_file(verifier_file, verifier_source())
    elif check_file is not None:
        _check(check_file, message, keys, witnesses, (data, config_file), as_json=as_json)
    elif record_id is not None:
        _make(record_id, out, data, config_file)
    else:
        raise click.UsageError("name a record, or a proof with --check")


def _make(record_id: str, out: Path | None, data: Path | None, config_file: Path | None) -> None:
    from audit.service.publish_proofs import make_proof

    made = make_proof(settings_from(data, config_file), record_id)
    if not made.recorded:
        click.echo("no repository runs here, so this look is in no audit record", err=True)
    if out is None:
        sys.stdout.write(made.proof.text)
    else:
        write_file(out, made.proof.text.encode())
        click.echo(f"{out}: proof of {made.record_id}", err=True)


def _check(
    file: Path,
    message: Path | None,
    keys: tuple[str, ...],
    witnesses: tuple[str, ...],
    place: tuple[Path | None, Path | None],
    *,
    as_json: bool,
) -> None:
    from audit.journal.proof_check import check_proof
    from audit.service.publish_proofs import keys_of, log_keys, witness_keys

    trusted = log_keys(keys) or keys_of(settings_from(*place))
    report = check_proof(
        text_of(file),
        None if message is None else message.read_bytes(),
        trusted,
        witness_keys(witnesses),
    )
    if as_json:
        print_json(report.as_dict())
    else:
        state = "PROVED" if report.signed else "the parts fit, but who signed is NOT KNOWN"
        click.echo(f"{state}: record {report.facts.sequence} of {report.head.origin}")
        for name, value in report.as_dict().items():
            click.echo(visible(f"  {name}: {value}"))
    raise click.exceptions.Exit(report.exit_code)
