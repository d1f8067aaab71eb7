"""``arr export`` and ``arr tail``."""

import os
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from audit.cli.options import data_option, examples, json_option, settings_from
from audit.cli.remote import client_at, client_of_demo, remote_options
from audit.cli.search import print_row

if TYPE_CHECKING:
    from audit.client import RepositoryClient
    from audit.settings import Settings

POLL_S = 0.5
"""How often a tail of this machine's own repository looks."""

_PRIVATE_FILE = 0o600


@click.command(
    epilog=examples(
        "arr export 'after:2026-01-01 category:export' -o exports.ndjson",
        "arr export --oldest-first | jq -c 'select(.id) | [.time, .summary]'",
        "arr export --url https://arr.example:8443 --token-file token --ca ca.pem > all.ndjson",
    )
)
@click.argument("query", default="")
@data_option
@remote_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; it appears only when the export is whole.",
)
@click.option("--oldest-first", is_flag=True, help="The other order.")
@click.option("--include-repeats", is_flag=True, help="Records that repeat an earlier one too.")
def export(
    query: str,
    data: Path | None,
    config_file: Path | None,
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    output: Path | None,
    oldest_first: bool,
    include_repeats: bool,
) -> None:
    """Write every record that matches as a line of JSON, newest first.

    The last line is the trailer: number of records and SHA-256 of the lines before it. An export
    without it is incomplete and ends with 5. Begin and end become audit records. Without --url
    it asks the demonstration that runs on --data, else this machine's repository.
    """
    order = {"oldest_first": oldest_first, "include_repeats": include_repeats}
    with _reached(url, token_file, ca_file, data, config_file) as reached, _written(output) as out:
        count = 0
        for lines in _exported(reached, query, order):
            out.write(lines)
            count += lines.count(b"\n")
    click.echo(f"{count - 1} records", err=True)


@click.command(
    epilog=examples(
        "arr tail",
        "arr tail --json 'category:security' | jq .summary",
        "arr tail --url https://arr.example:8443 --token-file token --ca ca.pem 'user:jdoe'",
    )
)
@click.argument("query", default="")
@data_option
@json_option
@remote_options
@click.option("--limit", type=click.IntRange(1), help="End after so many records.")
def tail(
    query: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    limit: int | None,
) -> None:
    """Show records as they become searchable, until interrupted.

    Repeats and the records of your own looks are left out. The whole of it becomes one audit
    record. Without --url it asks the demonstration that runs on --data, else this machine's
    repository.
    """
    with (
        _reached(url, token_file, ca_file, data, config_file) as reached,
        closing(_followed(reached, query)) as rows,
    ):
        for row in islice(rows, limit):
            print_row(row, as_json)
            sys.stdout.flush()


@contextmanager
def _reached(
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    data: Path | None,
    config_file: Path | None,
) -> Iterator["RepositoryClient | Settings"]:
    """A client of the repository that is meant, or the settings of this machine's."""
    settings = None
    if url is not None:
        client: RepositoryClient | None = client_at(url, token_file, ca_file)
    else:
        settings = settings_from(data, config_file)
        client = client_of_demo(settings.data)
    if client is not None:
        with client:
            yield client
    elif settings is not None:
        yield settings


def _exported(
    reached: "RepositoryClient | Settings", query: str, order: dict[str, bool]
) -> Iterator[bytes]:
    from audit.client import RepositoryClient
    from audit.service.operator import operator_principal, searching

    if isinstance(reached, RepositoryClient):
        yield from reached.export_lines(query, **order)
        return
    with (
        searching(reached) as service,
        closing(service.export(operator_principal(), query, **order)) as whole,
    ):
        yield from whole.chunks()


def _followed(
    reached: "RepositoryClient | Settings", query: str
) -> Generator[Mapping[str, Any], None, None]:
    from audit.client import RepositoryClient
    from audit.query.presentation import item
    from audit.service.operator import operator_principal, searching

    if isinstance(reached, RepositoryClient):
        with closing(reached.tail(query)) as records:
            yield from (record.data for record in records)
        return
    pause = Event()
    with searching(reached) as service:
        feed = service.tail(operator_principal(), query)
        while True:
            step = feed.step()
            yield from map(item, step.records)
            if step.caught_up:
                pause.wait(POLL_S)


@contextmanager
def _written(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that gets its name when all is written."""
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
