"""``arr version``."""

import click

from audit import __version__
from audit.cli.options import examples, json_option, print_json


@click.command(epilog=examples("arr version", "arr version --json"))
@json_option
def version(as_json: bool) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": __version__})
    else:
        click.echo(__version__)
