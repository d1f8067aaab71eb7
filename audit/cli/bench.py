"""``arr bench``."""

import time
from pathlib import Path
from typing import Any, Final

import click

from audit.cli.options import examples, json_option, print_json

_PROGRESS_S: Final = 5.0
"""Between two lines about the same."""
_INTERPRETED: Final = (
    "Interpreted modules were measured. An installation from the wheel has compiled ones: "
    "in a checkout, `make bench` measures those."
)
_days_option = click.option(
    "--days",
    type=click.IntRange(min=1),
    default=730,
    show_default=True,
    help="Over how many days they are spread, until now.",
)


@click.group(
    epilog=examples(
        "arr bench validate",
        "arr bench ingest --seconds 10 --json",
    )
)
def bench() -> None:
    """Measure the product on this machine, beside what it is compared with.

    Everything runs in temporary folders, on loopback, and is cleared away. On a busy machine
    compare the ratios: both sides of each were taken in the same run.
    """


@bench.command(epilog=examples("arr bench validate", "arr bench validate --messages 20000 --json"))
@click.option("--messages", type=click.IntRange(min=1), default=2_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@json_option
def validate(messages: int, rounds: int, as_json: bool) -> None:
    """Messages a second and core: parse, schema, rules, map and the whole, beside bare lxml.

    Parse, schema and rules are measured at length; judge is all three as the product does them,
    remembering what senders repeat; map makes the searchable record; whole is judge and map.
    """
    from audit.bench.validate import ValidateOptions, run

    found = run(ValidateOptions(messages=messages, rounds=rounds))
    _show(found, as_json)
    if not found["machine"]["compiled"]:
        click.echo(_INTERPRETED, err=True)


@bench.command(
    epilog=examples("arr bench journal", "arr bench journal --folder /var/lib/arr --json")
)
@click.option("--records", type=click.IntRange(min=1), default=196_608, show_default=True)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Records that share one sync.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Measure the file system of this folder.",
)
@json_option
def journal(records: int, batch: int, folder: Path | None, as_json: bool) -> None:
    """Records appended durably, beside bare writev and fdatasync; verifying, beside sha256sum."""
    from audit.bench.journal import JournalBenchOptions, run

    _show(run(JournalBenchOptions(records=records, batch=batch, folder=folder)), as_json)


@bench.command(
    epilog=examples(
        "arr bench ingest --seconds 10",
        "arr bench ingest --workers 4 --json",
        "arr bench ingest --sustain 1000000",
    )
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="How long each of the comparisons sends.",
)
@click.option("--senders", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Projector's worker processes (default: one a core).",
)
@click.option(
    "--messages",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="Different messages of each sender.",
)
@click.option(
    "--with-elasticsearch",
    "elasticsearch",
    metavar="URL",
    help="Measure rsyslog into this Elasticsearch of this machine beside.",
)
@click.option(
    "--sustain",
    type=click.IntRange(min=10),
    metavar="EVENTS",
    help="Afterwards make so many searchable, and tell the rate of each tenth.",
)
@json_option
def ingest(
    seconds: float,
    senders: int,
    workers: int | None,
    messages: int,
    elasticsearch: str | None,
    sustain: int | None,
    as_json: bool,
) -> None:
    """From TLS sockets to durable, and to searchable; beside rsyslog in the same run.

    rsyslog writes to a file, and with --with-elasticsearch to Elasticsearch as well, where the
    module for that is installed (Debian: rsyslog-elasticsearch). --sustain 10000000 needs 25 GB in
    the temporary folder, and an hour.
    """
    from audit.bench.ingest import run
    from audit.bench.ingest_options import IngestOptions

    options = IngestOptions(
        seconds=seconds,
        senders=senders,
        workers=workers,
        messages=messages,
        elasticsearch=elasticsearch,
        sustain=sustain or 0,
        progress=_Progress(),
    )
    _show(run(options), as_json)


@bench.command(
    epilog=examples(
        "arr bench search --events 1000000",
        "arr bench search --events 100000 --arriving 1000 --json",
        "arr bench search --with-elasticsearch http://127.0.0.1:9200",
    )
)
@click.option(
    "--events",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="Records, simulated.",
)
@_days_option
@click.option(
    "--with-elasticsearch",
    "elasticsearch",
    metavar="URL",
    help="Measure an Elasticsearch of this machine beside, in indices of its own.",
)
@click.option(
    "--arriving",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Records a second that arrive meanwhile.",
)
@click.option(
    "--times",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="How often each kind of question is asked.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Ask the index of this data folder instead; nothing is put into it.",
)
@json_option
def search(
    events: int,
    days: int,
    elasticsearch: str | None,
    arriving: int,
    times: int,
    data: Path | None,
    as_json: bool,
) -> None:
    """How long questions take: patient, user, study, text, deep pages, histogram, export …"""
    from audit.bench.questions import AskingOptions
    from audit.bench.search import SearchBenchOptions, run

    options = SearchBenchOptions(
        events=events,
        days=days,
        elasticsearch=elasticsearch,
        arriving_per_s=arriving,
        data=data,
        asking=AskingOptions(times=times),
        progress=_Progress(),
    )
    _show(run(options), as_json)


class _Progress:
    """Lines on standard error: when something else begins, and now and then."""

    def __init__(self) -> None:
        self._told = ""
        self._told_at = 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if what == self._told and now - self._told_at < _PROGRESS_S:
            return
        self._told, self._told_at = what, now
        click.echo(f"{what}: {done:,} of {of:,}" if of > 1 else what, err=True)


@bench.command(epilog=examples("arr bench connections 1000", "arr bench connections 9900 --json"))
@click.argument("connections", type=click.IntRange(1, 60_000), metavar="N")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    help="How long messages are sent, without and with the connections.",
)
@json_option
def connections(connections: int, seconds: float, as_json: bool) -> None:
    """Hold N idle mutual-TLS connections: memory of the receiver, and what it takes in beside."""
    from audit.bench.connections import ConnectionsOptions, run

    _show(run(ConnectionsOptions(connections=connections, seconds=seconds)), as_json)


@bench.command(
    epilog=examples("arr bench api --events 100000", "arr bench api --arriving 1000 --json")
)
@click.option(
    "--events",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="Records, simulated.",
)
@_days_option
@click.option(
    "--times",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Requests of each kind.",
)
@click.option(
    "--arriving",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Messages a second that arrive over TLS meanwhile.",
)
@json_option
def api(events: int, days: int, times: int, arriving: int, as_json: bool) -> None:
    """How long callers of the API and the home page wait, each look journaled as always."""
    from audit.bench.api import ApiOptions, run

    options = ApiOptions(events=events, days=days, times=times, arriving_per_s=arriving)
    _show(run(options), as_json)


@bench.command(
    epilog=examples("arr bench outage", "arr bench outage --seconds 10 --rounds 5 --json")
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=3.0,
    show_default=True,
    help="How long each way to fail lasts in each round.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--arriving",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Records a second that arrive over TLS meanwhile.",
)
@json_option
def outage(seconds: float, rounds: int, arriving: int, as_json: bool) -> None:
    """Time until a record is durable while Elasticsearch works, and while it fails.

    A stand-in takes Elasticsearch's place: it hangs up, is busy, unavailable, answers HTML or not
    at all, each in turn with working well. p99_to_well is each one's p99 by that of working well.
    """
    from audit.bench.outage import OutageOptions, run

    _show(run(OutageOptions(seconds=seconds, rounds=rounds, per_s=arriving)), as_json)


@bench.command(
    epilog=examples("arr bench push", "arr bench push --backlog 50000 --messages 2000 --json")
)
@click.option(
    "--backlog",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="Records that wait to be pushed when the push begins.",
)
@click.option(
    "--messages",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Messages that are sent and timed, without and with the push.",
)
@json_option
def push(backlog: int, messages: int, as_json: bool) -> None:
    """Time until a message is durable, without and with a busy push to a SIEM beside.

    ratio_p99 is the p99 with the push by that without; both are taken in the same run.
    """
    from audit.bench.push import PushBenchOptions, run

    _show(run(PushBenchOptions(backlog=backlog, messages=messages)), as_json)


@bench.command(
    epilog=examples(
        "arr bench search --events 100000 --json > large.json",
        "arr bench chart small.json large.json --out search.svg",
    )
)
@click.argument(
    "runs", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="SVG file."
)
def chart(runs: tuple[Path, ...], out: Path) -> None:
    """Draw how the times of searches grow, from runs of arr bench search --json."""
    from audit.bench.chart import draw, read_run

    out.write_text(draw([read_run(file) for file in runs]), encoding="utf-8")


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(figures)
        return
    for line in _lines(figures):
        click.echo(line)


def _lines(figures: dict[str, Any], indent: str = "") -> list[str]:
    """Names and values one below the other; what holds figures of its own is indented."""
    width = max(map(len, figures), default=0)
    found: list[str] = []
    for name, value in figures.items():
        if isinstance(value, dict) and any(isinstance(v, dict) for v in value.values()):
            found += [f"{indent}{name}", *_lines(value, indent + "  ")]
        elif isinstance(value, dict):
            pairs = ", ".join(f"{key} {_figure(one)}" for key, one in value.items())
            found.append(f"{indent}{name:<{width}}  {pairs}")
        else:
            found.append(f"{indent}{name:<{width}}  {_figure(value)}")
    return found


def _figure(value: Any) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
