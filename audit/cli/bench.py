"""``arr bench``."""

from typing import Any

import click

from audit.cli.options import examples, json_option, print_json


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
@click.option("--messages", type=click.IntRange(min=1), default=4_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@json_option
def validate(messages: int, rounds: int, as_json: bool) -> None:
    """Messages a second and core: parse, schema, rules, map and the whole, beside bare lxml."""
    from audit.bench.validate import ValidateOptions, run

    _show(run(ValidateOptions(messages=messages, rounds=rounds)), as_json)


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
    return f"{value:,}" if isinstance(value, int | float) else str(value)
