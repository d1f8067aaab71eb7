"""``arr report``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.making_reports import REPORTS
from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    visible,
)
from audit.cli.push import push

if TYPE_CHECKING:
    from audit.query.senders import SendersAnswer

LONGEST_DAYS = 3_660


@click.group(
    epilog=examples(
        "arr report access --patient P48003 --format pdf -o p48003.pdf --reason 'complaint 12'",
        "arr report disclosures --patient 'P1^^^&2.999.1&ISO' --patient X9 --format csv",
        "arr report activity --from 2026-05-01 --to 2026-06-01",
        "arr report senders --days 30 --sender CT1 > ct1.txt",
    )
)
def report() -> None:
    """Report on the trail, its senders, and the push to a SIEM.

    Each report on the trail becomes an audit record itself, before it is given, so the repository
    must be running. docs/reports.md says what each holds.
    """


@report.command(
    epilog=examples(
        "arr report senders",
        "arr report senders --days 30 --sender CT1 > ct1-for-the-vendor.txt",
        "arr report senders --json | jq '.items[] | {node, verdicts}'",
    )
)
@data_option
@json_option
@click.option(
    "--days",
    default=7,
    show_default=True,
    type=click.IntRange(1, LONGEST_DAYS),
    help="How far back, by time of receipt.",
)
@click.option(
    "--sender",
    help="AuditSourceID of one sender: a page to hand to its vendor, with masked excerpts.",
)
def senders(
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    days: int,
    sender: str | None,
) -> None:
    """Show how good the messages of each sender are, and what it has to mend.

    A sender is an AuditSourceID with the certificate and the application it sends by. The column
    clock is the time of receipt less that of the event, in the median of its newest records:
    below zero, the sender's clock is ahead. The report itself becomes an audit record, so the
    repository must be running.
    """
    from audit.query.sender_text import render_for_vendor, render_table
    from audit.service.operator import operator_principal, searching

    with searching(settings_from(data, config_file)) as service:
        answer = service.senders(
            operator_principal(), days, node=sender, excerpts=sender is not None
        )
    if as_json:
        print_json(answer.as_dict())
    elif answer.senders:
        render = render_table if sender is None else render_for_vendor
        click.echo(visible(render(answer)))
    _print_remarks(answer)


def _print_remarks(answer: "SendersAnswer") -> None:
    if not answer.senders:
        click.echo("no records of such a sender in this time", err=True)
    if answer.index_lag.behind:
        click.echo(f"{answer.index_lag.behind} newer records are not counted yet", err=True)
    if answer.partial:
        click.echo("warning: a part of the index did not answer", err=True)
    for warning in answer.warnings:
        click.echo(f"warning: {visible(warning)}", err=True)


for _command in (*REPORTS, push):
    report.add_command(_command)
