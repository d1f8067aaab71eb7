"""``arr simulate``."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from audit.cli.options import examples


@click.command(
    epilog=examples(
        "arr simulate --days 1 > day.log",
        "arr simulate --events 100000 --seed 7 --format octet-counted --out load.bin",
        "arr simulate --days 30 --labels labels.ndjson --out month.bin",
    )
)
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="How many days.")
@click.option("--events", type=click.IntRange(min=0), help="Exactly so many messages.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same days.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    default="2026-01-05",
    show_default=True,
    help="First day, UTC.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["lines", "octet-counted"]),
    default="lines",
    show_default=True,
    help="One syslog message a line, or framed as on the wire (RFC 5425).",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write which messages belong to which wrongdoing.",
)
def simulate(
    days: float | None,
    events: int | None,
    seed: int,
    start: datetime,
    form: str,
    out: Path | None,
    labels: Path | None,
) -> None:
    """Write any amount of a hospital's days as audit messages, deterministic by seed."""
    from contextlib import ExitStack

    from audit.frame.octet_counting import encode
    from audit.simulate.hospital import simulate as days_of

    if days is None and events is None:
        raise click.UsageError("say how much: --days or --events")
    with ExitStack() as files:
        target = files.enter_context(out.open("wb")) if out else sys.stdout.buffer
        told = files.enter_context(labels.open("w", encoding="utf-8")) if labels else None
        messages = days_of(seed, start.replace(tzinfo=UTC), days=days, events=events)
        for number, message in enumerate(messages):
            raw = message.syslog
            target.write(encode(raw) if form == "octet-counted" else raw + b"\n")
            if told is not None and message.label is not None:
                told.write(json.dumps({"message": number, **message.label._asdict()}) + "\n")
        target.flush()
