"""``arr search`` and ``arr show``."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    pointing,
    print_json,
    settings_from,
    visible,
)
from audit.cli.remote import client_at, exact_option, remote_options

if TYPE_CHECKING:
    from audit.settings import Settings

PAGE = 1000
"""Records asked for at a time."""

JsonObject = Mapping[str, Any]


@click.command(
    epilog=examples(
        "arr search 'category:export outcome:failure'",
        "arr search --limit 20 --oldest-first 'patient:P48003 after:2026-01-01'",
        "arr search --json 'finding:*' | jq .summary",
        "arr search --url https://arr.example:8443 --token-file token --ca ca.pem 'user:jdoe'",
    )
)
@click.argument("query", default="")
@data_option
@json_option
@remote_options
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--oldest-first", is_flag=True, help="The other order.")
@click.option("--include-repeats", is_flag=True, help="Show records that repeat an earlier one.")
@exact_option
def search(
    query: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    limit: int,
    oldest_first: bool,
    include_repeats: bool,
    exact: bool,
) -> None:
    """Search the audit trail of this machine's repository, or of another, newest first.

    A patient or user is searched for by all known names, a patient also by study and document;
    what was used is told. The search itself becomes an audit record, so the repository must be
    running. With --json each record is one line. Messages about the answer go to standard error.
    """
    how = {"include_repeats": include_repeats, "oldest_first": oldest_first, "exact": exact}
    if url is None:
        settings = settings_from(data, config_file)
        with pointing(query):
            _print_pages(_local_pages(settings, query, limit, **how), as_json)
        return
    with client_at(url, token_file, ca_file) as client, pointing(query):
        remote = client.pages(query, limit=limit, **how)
        _print_pages((page.data for page in remote), as_json)


def _local_pages(
    settings: "Settings",
    query: str,
    limit: int,
    *,
    include_repeats: bool,
    oldest_first: bool,
    exact: bool,
) -> Iterator[JsonObject]:
    from audit.query.identities import ByAllNames
    from audit.service.operator import operator_principal, searching

    shown, cursor = 0, None
    with searching(settings) as service:
        while True:
            answer = service.search(
                operator_principal(),
                query if exact else ByAllNames(query),
                limit=min(PAGE, limit - shown),
                cursor=cursor,
                include_repeats=include_repeats,
                oldest_first=oldest_first,
            )
            yield answer.as_dict()
            shown += len(answer.records)
            cursor = answer.next_cursor
            if cursor is None or shown >= limit:
                return


def print_row(row: JsonObject, as_json: bool) -> None:
    """One record on one line."""
    if as_json:
        print_json(row)
    else:
        why = row.get("inferred", "")
        note = f"  (inferred from {why})" if why else ""
        click.echo(visible(f"{row['time']}  {row['id']}  {row['summary']}{note}"))


def _print_pages(pages: Iterator[JsonObject], as_json: bool) -> None:
    shown = 0
    answer: JsonObject = {}
    for answer in pages:
        inferred = (answer.get("identities") or {}).get("inferred", {})
        for row in answer["items"]:
            why = inferred.get(row["id"], "")
            print_row({**row, "inferred": why} if why else row, as_json)
        shown += len(answer["items"])
    _print_remarks(answer, shown)


def _print_remarks(answer: JsonObject, shown: int) -> None:
    total, behind = answer["total"], answer["index_lag"]["behind"]
    more = "" if total["relation"] == "eq" else "at least "
    click.echo(f"{shown} of {more}{total['value']} records", err=True)
    if behind:
        click.echo(f"{behind} newer records are not searchable yet", err=True)
    used = answer.get("identities") or {}
    for line in _names_used(used):
        click.echo(visible(line), err=True)
    for warning in (*answer["warnings"], *used.get("warnings", ())):
        click.echo(f"warning: {visible(warning)}", err=True)


def _names_used(used: JsonObject) -> Iterator[str]:
    """Which names the answer used beside those in the query."""
    for one in used.get("names", ()):
        of = f" of {one['assigner']}" if one["assigner"] else ""
        yield f"{one['field']} {one['asked']} is also {one['identifier']}{of} ({one['source']})"
    for name, word in (("studies", "studies"), ("documents", "documents")):
        if count := len(used.get(name, ())):
            yield f"{count} {word} known from the trail to be the patient's were searched for too"


@click.command(
    epilog=examples(
        "arr show k3f9x2ab-17",
        "arr show 17 --json",
        "arr show 17 --raw > message.bin",
        "arr show 17 --url https://arr.example:8443 --token-file token --ca ca.pem",
    )
)
@click.argument("record_id")
@data_option
@json_option
@remote_options
@click.option("--raw", is_flag=True, help="The octets exactly as received, nothing else.")
def show(
    record_id: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    raw: bool,
) -> None:
    """Show one record; RECORD_ID may be its bare sequence. The look becomes a record itself."""
    if url is None:
        shown = _local_record(settings_from(data, config_file), record_id, raw)
    else:
        with client_at(url, token_file, ca_file) as client:
            shown = client.message(record_id).received if raw else client.event(record_id).data
    if isinstance(shown, bytes):
        sys.stdout.buffer.write(shown)
    elif as_json:
        print_json(shown)
    else:
        _print_event(shown)


def _local_record(settings: "Settings", record_id: str, raw: bool) -> bytes | JsonObject:
    from audit.service.operator import operator_principal, searching

    with searching(settings) as service:
        if raw:
            return service.message(operator_principal(), record_id).received
        return service.event(operator_principal(), record_id).as_dict()


def _print_event(event: JsonObject) -> None:
    for sentence in event["sentences"]:
        click.echo(visible("".join(part["text"] for part in sentence)))
    for name, value in event.items():
        if name not in {"sentences", "body", "summary", "index_lag"} and value:
            shown = ", ".join(value) if isinstance(value, list) else value
            click.echo(visible(f"  {name}: {shown}"))
    for found in event["body"]["findings"]:
        click.echo(visible(f"  {found['severity']} {found['rule']}: {found['message']}"))
        click.echo(visible(f"      → {found['fix']}"))
