"""``arr config check`` and ``arr config show``."""

from pathlib import Path

import click

from audit.cli.options import data_option, examples, json_option, print_json, settings_from


@click.group(epilog=examples("arr config check --config arr.toml", "arr config show --json"))
def config() -> None:
    """Check and show the settings."""


@config.command(epilog=examples("arr config check --config arr.toml"))
@data_option
def check(data: Path | None, config_file: Path | None) -> None:
    """Say whether the settings fit; exit code 6 when they don't."""
    settings_from(data, config_file)
    click.echo("the settings fit", err=True)


@config.command(epilog=examples("arr config show", "arr config show --json"))
@data_option
@json_option
def show(data: Path | None, config_file: Path | None, as_json: bool) -> None:
    """Print every setting that holds; of secrets only the file that keeps them."""
    values = settings_from(data, config_file).model_dump(mode="json")
    if as_json:
        print_json(values)
        return
    for name, value in values.items():
        if isinstance(value, dict):
            for inner, one in value.items():
                click.echo(f"{name}.{inner} = {one}")
        else:
            click.echo(f"{name} = {value}")
