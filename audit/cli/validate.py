"""``arr validate``."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.options import config_option, examples, json_option, print_json, visible

if TYPE_CHECKING:
    from audit.query.validation import ValidationResult
    from audit.query.validation_summary import Summary
    from audit.record.xml_input import XmlLimits


@click.command(
    epilog=examples(
        "arr validate message.xml",
        "arr validate --json captured/",
        "cat messages.log | arr validate --summary -",
        "arr validate --sarif captured/ > findings.sarif",
        "arr validate --list-rules",
    )
)
@click.argument("sources", nargs=-1)
@json_option
@click.option(
    "--summary", is_flag=True, help="Counts by verdict, tier, event, rule and audit source."
)
@click.option(
    "--sarif", "as_sarif", is_flag=True, help="Print SARIF 2.1.0, for editors and pipelines."
)
@click.option("--list-rules", is_flag=True, help="Print every rule and end.")
@config_option
def validate(
    sources: tuple[str, ...],
    *,
    as_json: bool,
    summary: bool,
    as_sarif: bool,
    list_rules: bool,
    config_file: Path | None,
) -> None:
    """Say of audit messages what they are, how good they are, and how to mend them.

    SOURCES are files, directories or - for standard input: bare XML, syslog-wrapped lines,
    octet-counted files, FHIR R4 AuditEvents in JSON or NDJSON. Of a directory, what begins with a
    dot is left out. Exit code 0 when all are valid, else 1; a file that can't be read is named,
    and the others are judged. How much of a message is looked at is set under "validation".
    """
    from audit.query.validation import validate_sources

    if list_rules:
        _list_rules(as_json)
        return
    if not sources:
        raise click.UsageError("name a file, a directory, or - for standard input")
    if as_sarif and (as_json or summary):
        raise click.UsageError("--sarif goes without --json and --summary")
    standard_input = sys.stdin.buffer.read() if "-" in sources else b""
    verdicts: list[bool] = []

    def unread(said: str) -> None:
        verdicts.append(False)
        click.echo(f"arr: {visible(said)}", err=True)

    def noted() -> Iterable["ValidationResult"]:
        limits = _limits(config_file)
        for result in validate_sources(list(sources), standard_input, limits, unread):
            verdicts.append(result.is_valid)
            yield result

    _print_all(noted(), as_json=as_json, summary=summary, as_sarif=as_sarif)
    raise click.exceptions.Exit(0 if verdicts and all(verdicts) else 1)


def _limits(config_file: Path | None) -> "XmlLimits":
    from audit.cli.options import settings_from
    from audit.service.validation_limits import xml_limits

    return xml_limits(settings_from(None, config_file))


def _print_all(
    results: Iterable["ValidationResult"], *, as_json: bool, summary: bool, as_sarif: bool
) -> None:
    from audit.query.sarif import sarif
    from audit.query.validation_summary import summarise

    if as_sarif:
        print_json(sarif(results))
    elif summary:
        _print_summary(summarise(results), as_json)
    else:
        for result in results:
            _print_result(result, as_json)


def _print_result(result: "ValidationResult", as_json: bool) -> None:
    from audit.query.validation import render

    if as_json:
        print_json(result.as_dict())
    else:
        click.echo(visible(render(result)))


def _print_summary(summary: "Summary", as_json: bool) -> None:
    counts = summary.as_dict()
    if as_json:
        print_json(counts)
        return
    for group, values in counts.items():
        click.echo(f"{group}:")
        for value, count in values.items():
            if group != "source":
                click.echo(f"  {count:>8}  {visible(value)}")
                continue
            verdicts = ", ".join(f"{n} {verdict}" for verdict, n in count["verdict"].items())
            click.echo(f"  {count['messages']:>8}  {visible(value)}: {verdicts}")
            for rule, n in count["rule"].items():
                click.echo(f"            {n:>8}  {rule}")


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
