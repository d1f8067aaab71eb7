"""``arr validate``."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from audit.cli.options import examples, json_option, print_json, visible

if TYPE_CHECKING:
    from audit.query.validation import ValidationResult


@click.command(
    epilog=examples(
        "arr validate message.xml",
        "arr validate --json captured/",
        "cat messages.log | arr validate --summary -",
        "arr validate --list-rules",
    )
)
@click.argument("sources", nargs=-1)
@json_option
@click.option("--summary", is_flag=True, help="Counts by verdict, tier, event and rule.")
@click.option("--list-rules", is_flag=True, help="Print every rule and end.")
def validate(sources: tuple[str, ...], as_json: bool, summary: bool, list_rules: bool) -> None:
    """Say of audit messages what they are, how good they are, and how to mend them.

    SOURCES are files, directories or - for standard input: bare XML, syslog-wrapped lines or
    octet-counted files. Exit code 0 when all are valid, else 1.
    """
    from audit.query.validation import summarise, validate_sources

    if list_rules:
        _list_rules(as_json)
        return
    if not sources:
        raise click.UsageError("name a file, a directory, or - for standard input")
    standard_input = sys.stdin.buffer.read() if "-" in sources else b""
    verdicts: list[bool] = []

    def noted() -> Iterable["ValidationResult"]:
        for result in validate_sources(list(sources), standard_input):
            verdicts.append(result.is_valid)
            yield result

    if summary:
        _print_summary(summarise(noted()), as_json)
    else:
        for result in noted():
            _print_result(result, as_json)
    raise click.exceptions.Exit(0 if verdicts and all(verdicts) else 1)


def _print_result(result: "ValidationResult", as_json: bool) -> None:
    from audit.query.validation import render

    if as_json:
        print_json(result.as_dict())
    else:
        click.echo(visible(render(result)))


def _print_summary(counts: dict[str, dict[str, int]], as_json: bool) -> None:
    if as_json:
        print_json(counts)
        return
    for group, values in counts.items():
        click.echo(f"{group}:")
        for value, count in values.items():
            click.echo(f"  {count:>8}  {visible(value)}")


def _list_rules(as_json: bool) -> None:
    from audit.standards.rules import all_rules

    for rule in all_rules():
        if as_json:
            print_json(
                {
                    "rule": rule.id,
                    "severity": rule.severity,
                    "clause": rule.clause,
                    "title": rule.title,
                    "fix": rule.fix,
                }
            )
        else:
            click.echo(
                f"{rule.id}  [{rule.severity}, {rule.clause}]\n    {rule.title}\n    {rule.fix}"
            )
