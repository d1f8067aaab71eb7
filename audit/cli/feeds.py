"""``arr tail``."""

import sys
from collections.abc import Generator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from audit.cli.options import data_option, examples, json_option, pointing
from audit.cli.reaching import reached
from audit.cli.remote import exact_option, remote_options
from audit.cli.search import print_row

if TYPE_CHECKING:
    from audit.client import RepositoryClient
    from audit.settings import Settings

POLL_S = 0.5
"""How often a tail of this machine's own repository looks."""


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
@exact_option
def tail(
    query: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    limit: int | None,
    exact: bool,
) -> None:
    """Show records as they become searchable, until interrupted.

    Repeats and the records of your own looks are left out. The whole of it becomes one audit
    record. Without --url it asks the demonstration that runs on --data, else this machine's
    repository.
    """
    with (
        pointing(query),
        reached(url, token_file, ca_file, data, config_file) as repository,
        closing(_followed(repository, query, exact=exact)) as rows,
    ):
        for row in islice(rows, limit):
            print_row(row, as_json)
            sys.stdout.flush()


def _followed(
    repository: "RepositoryClient | Settings", query: str, *, exact: bool
) -> Generator[Mapping[str, Any], None, None]:
    from audit.client import RepositoryClient
    from audit.query.identities import ByAllNames
    from audit.service.operator import operator_principal, searching

    if isinstance(repository, RepositoryClient):
        with closing(repository.tail(query, exact=exact)) as records:
            yield from (record.data for record in records)
        return
    pause = Event()
    with searching(repository) as service:
        feed = service.tail(operator_principal(), query if exact else ByAllNames(query))
        while True:
            step = feed.step()
            yield from map(feed.item, step.records)
            if step.caught_up:
                pause.wait(POLL_S)
