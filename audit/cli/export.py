"""``arr export``."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from audit.cli.options import data_option, examples, pointing
from audit.cli.reaching import reached
from audit.cli.remote import exact_option, remote_options

if TYPE_CHECKING:
    from audit.client import RepositoryClient
    from audit.query.exports.record_export import Form
    from audit.settings import Settings

FORMS = ("ndjson", "csv", "original", "evidence")
_PRIVATE_FILE = 0o600


@click.command(
    epilog=examples(
        "arr export 'after:2026-01-01 category:export' -o exports.ndjson",
        "arr export --oldest-first | jq -c 'select(.id) | [.time, .summary]'",
        "arr export --format csv --query 'user:jdoe' -o jdoe.csv",
        "arr export --format original 'node:ct-1' -o ct-1.syslog",
        "arr export --format evidence --query 'patient:P48003' --reason 'case 17' -o case17.zip",
        "arr export --url https://arr.example:8443 --token-file token --ca ca.pem > all.ndjson",
    )
)
@click.argument("query", default="")
@data_option
@remote_options
@click.option("--query", "asked", help="The query, in place of the argument.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="ndjson",
    show_default=True,
    help="original: messages as received, octet-counted; evidence: a bundle to check offline.",
)
@click.option("--reason", default="", help="Why; recorded. An evidence bundle needs one.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; it appears only when the export is whole.",
)
@click.option("--oldest-first", is_flag=True, help="The other order.")
@click.option("--include-repeats", is_flag=True, help="Records that repeat an earlier one too.")
@exact_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format ndjson.")
def export(
    query: str,
    data: Path | None,
    config_file: Path | None,
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    asked: str | None,
    form: "Form",
    reason: str,
    output: Path | None,
    oldest_first: bool,
    include_repeats: bool,
    exact: bool,
    as_json: bool,
) -> None:
    """Write every record that matches, newest first: as lines of JSON, or in another form.

    The end of an export tells number and SHA-256 of what came before it, so that a broken one is
    recognised: it ends with 5. Begin and end become audit records. Without --url it asks the
    demonstration that runs on --data, else this machine's repository. docs/exports.md has the
    forms; python3 verify_evidence.py bundle FILE checks an evidence bundle.
    """
    if asked is not None and query:
        raise click.UsageError("give the query once: as the argument or by --query")
    if as_json and form != "ndjson":
        raise click.UsageError("--json is --format ndjson")
    if form == "evidence" and not reason.strip():
        raise click.UsageError("an evidence bundle needs --reason")
    order = {"oldest_first": oldest_first, "include_repeats": include_repeats, "exact": exact}
    with (
        pointing(asked or query),
        reached(url, token_file, ca_file, data, config_file) as repository,
        written(output) as out,
    ):
        octets = lines = 0
        for chunk in _exported(repository, form, asked or query, reason, order):
            out.write(chunk)
            octets += len(chunk)
            lines += chunk.count(b"\n")
    told = f"{lines - 1} records" if form == "ndjson" else f"{octets} octets of {form}"
    click.echo(told, err=True)


def _exported(
    repository: "RepositoryClient | Settings",
    form: "Form",
    query: str,
    reason: str,
    order: dict[str, bool],
) -> Iterator[bytes]:
    from audit.client import RepositoryClient

    if not isinstance(repository, RepositoryClient):
        yield from _exported_here(repository, form, query, reason, order)
    elif form == "ndjson" and not reason:
        yield from repository.export_lines(query, **order)
    else:
        yield from repository.export_file(form, query, reason=reason, **order)


def _exported_here(
    settings: "Settings", form: "Form", query: str, reason: str, order: dict[str, bool]
) -> Iterator[bytes]:
    from audit.query.exports.record_export import ExportOrder
    from audit.service.exports import export_maker
    from audit.service.operator import operator_principal, searching
    from audit.service.paths import DataPaths

    with searching(settings) as service:
        maker = export_maker(service.trail, settings, DataPaths(settings.data))
        asked = ExportOrder(
            reason=reason.strip(),
            include_repeats=order["include_repeats"],
            oldest_first=order["oldest_first"],
            by_all_names=not order["exact"],
        )
        with closing(maker.make(operator_principal(), form, query, asked)) as whole:
            yield from whole.chunks()


@contextmanager
def written(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a private file that gets its name when all is written."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = output.with_name(f".{output.name}.{os.getpid()}.{time.time_ns()}.part")
    try:
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(file, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
