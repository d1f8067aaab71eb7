"""``arr search`` and ``arr show``."""

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
    from audit.query.answers import Answer

PAGE = 1000
"""Records asked for at a time."""


@click.command(
    epilog=examples(
        "arr search 'category:export outcome:failure'",
        "arr search --limit 20 'patient:P48003 after:2026-01-01'",
        "arr search --json 'finding:*' | jq .summary",
    )
)
@click.argument("query", default="")
@data_option
@json_option
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--include-repeats", is_flag=True, help="Show records that repeat an earlier one.")
def search(
    query: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    limit: int,
    include_repeats: bool,
) -> None:
    """Search the audit trail of this machine's repository, newest first.

    The search itself becomes an audit record, so the repository must be running. With --json
    each record is one line. Messages about the answer go to standard error.
    """
    from audit.service.operator import operator_principal, searching

    shown = 0
    cursor: str | None = None
    with searching(settings_from(data, config_file)) as service:
        while True:
            answer = service.search(
                operator_principal(),
                query,
                limit=min(PAGE, limit - shown),
                cursor=cursor,
                include_repeats=include_repeats,
            )
            _print_page(answer, as_json)
            shown += len(answer.records)
            cursor = answer.next_cursor
            if cursor is None or shown >= limit:
                break
    _print_remarks(answer, shown)


def _print_page(answer: "Answer", as_json: bool) -> None:
    from audit.query.presentation import item

    for record in answer.records:
        row = item(record)
        if as_json:
            print_json(row)
        else:
            click.echo(visible(f"{row['time']}  {row['id']}  {row['summary']}"))


def _print_remarks(answer: "Answer", shown: int) -> None:
    more = "" if answer.total.exact else "at least "
    click.echo(f"{shown} of {more}{answer.total.value} records", err=True)
    if answer.index_lag.behind:
        click.echo(f"{answer.index_lag.behind} newer records are not searchable yet", err=True)
    for warning in answer.warnings:
        click.echo(f"warning: {visible(warning)}", err=True)


@click.command(
    epilog=examples(
        "arr show k3f9x2ab-17", "arr show 17 --json", "arr show 17 --raw > message.bin"
    )
)
@click.argument("record_id")
@data_option
@json_option
@click.option("--raw", is_flag=True, help="The octets exactly as received, nothing else.")
def show(
    record_id: str, data: Path | None, config_file: Path | None, as_json: bool, raw: bool
) -> None:
    """Show one record; RECORD_ID may be its bare sequence. The look becomes a record itself."""
    from audit.service.operator import operator_principal, searching

    with searching(settings_from(data, config_file)) as service:
        if raw:
            message = service.message(operator_principal(), record_id)
            sys.stdout.buffer.write(message.received)
            return
        event = service.event(operator_principal(), record_id).as_dict()
    if as_json:
        print_json(event)
        return
    for sentence in event["sentences"]:
        click.echo(visible("".join(part["text"] for part in sentence)))
    for name, value in event.items():
        if name not in {"sentences", "body", "summary", "index_lag"} and value:
            shown = ", ".join(value) if isinstance(value, list) else value
            click.echo(visible(f"  {name}: {shown}"))
    for found in event["body"]["findings"]:
        click.echo(visible(f"  {found['severity']} {found['rule']}: {found['message']}"))
        click.echo(visible(f"      → {found['fix']}"))
