"""``arr retention``."""

import sys
import time
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
    from audit.service.retention import Plan
    from audit.service.retention_policy import Policy
    from audit.settings import Settings

POLICY_NAME = "retention.toml"


@click.group(
    epilog=examples(
        "arr retention plan", "arr retention run", "arr retention erase k3f9x2ab-1707 --order TEXT"
    )
)
def retention() -> None:
    """Remove records whose time is over, by a policy; erase one by order.

    Bodies and salts go; leaf hashes, tree, signed heads and all other records' proofs stay. A
    signed statement in the journal says what went by what right.
    """


def policy_option(command: click.decorators.FC) -> click.decorators.FC:
    """``--policy``."""
    return click.option(
        "--policy",
        "policy_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="TOML file of rules; without it the one that journal.retention_policy names, else "
        f"{POLICY_NAME} in the data folder.",
    )(command)


@retention.command(epilog=examples("arr retention plan", "arr retention plan --json"))
@data_option
@policy_option
@json_option
def plan(
    data: Path | None, config_file: Path | None, policy_file: Path | None, as_json: bool
) -> None:
    """Say what would go now, and what is held; change nothing."""
    from audit.service.retention import planning

    settings = settings_from(data, config_file)
    policy = _policy(settings, policy_file)
    with planning(settings) as planner:
        found = planner.plan(policy, time.time_ns(), _progress)
    _print(found, as_json=as_json, done=False)


@retention.command(epilog=examples("arr retention run", "arr retention run --policy rules.toml"))
@data_option
@policy_option
@json_option
def run(
    data: Path | None, config_file: Path | None, policy_file: Path | None, as_json: bool
) -> None:
    """Remove what is due. It is journaled, so the repository must be running."""
    from audit.service.retention import retaining

    settings = settings_from(data, config_file)
    policy = _policy(settings, policy_file)
    with retaining(settings) as retained:
        found = retained.run(policy, time.time_ns(), _progress)
    _print(found, as_json=as_json, done=True)


@retention.command(epilog=examples("arr retention finish"))
@data_option
def finish(data: Path | None, config_file: Path | None) -> None:
    """Carry out what was stated and then cut off, for one by a power failure."""
    from audit.service.retention import retaining

    with retaining(settings_from(data, config_file)) as retained:
        finished = retained.finish()
    click.echo(f"{len(finished)} statements carried out", err=True)


@retention.command(
    epilog=examples("arr retention erase k3f9x2ab-1707 --order 'LG Ulm, 3 O 17/26, of 2026-02-02'")
)
@click.argument("record")
@data_option
@policy_option
@json_option
@click.option("--order", required=True, help="Who ordered it, and why.")
@click.option("--before-minimum", is_flag=True, help="Even if it must be kept still.")
def erase(
    record: str,
    data: Path | None,
    config_file: Path | None,
    policy_file: Path | None,
    as_json: bool,
    order: str,
    before_minimum: bool,
) -> None:
    """Erase one record, and what was sent again of it, from journal and index.

    The backups that hold it are named: arr backup FOLDER --renew writes them anew without it.
    """
    from dataclasses import asdict

    from audit.service.retention import retaining
    from audit.service.retention_policy import Policy

    settings = settings_from(data, config_file)
    configured = policy_file or settings.journal.retention_policy
    given = configured or settings.data / POLICY_NAME
    policy = _policy(settings, policy_file) if configured or given.exists() else Policy()
    with retaining(settings) as retained:
        erased = retained.erase(record, order, policy, before_minimum=before_minimum)
    if as_json:
        print_json(asdict(erased))
        return
    click.echo(f"journal: {erased.record} erased, statement {erased.statement}")
    for copy in erased.copies:
        click.echo(f"journal: {copy} erased, which held the same message")
    click.echo(
        "index: forgotten"
        if erased.index_done
        else "index: not yet; it follows as soon as the project process runs"
    )
    for backup in erased.backups:
        click.echo(visible(f"backup: {backup.folder} still holds it; renew or destroy it"))


def _policy(settings: "Settings", policy_file: Path | None) -> "Policy":
    from audit.service.retention_policy import load_policy

    given = policy_file or settings.journal.retention_policy
    return load_policy(given or settings.data / POLICY_NAME)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} segments", nl=done == total, err=True)


def _print(found: "Plan", *, as_json: bool, done: bool) -> None:
    if as_json:
        print_json(
            {
                "removed" if done else "due": found.count,
                "by_rule": dict(found.by_rule),
                "held": dict(found.held),
                "segments": [
                    {"first": one.first, "records": len(one.due)}
                    for one in found.segments
                    if one.due
                ],
            }
        )
        return
    verb = "removed" if done else "would go"
    click.echo(f"{found.count} records {verb}, from {len(found.segments)} segments")
    for name, count in sorted(found.by_rule.items()):
        click.echo(f"{name}: {count}")
    for name, count in sorted(found.held.items()):
        click.echo(f"kept by {name}: {count}")
