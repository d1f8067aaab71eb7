"""``arr version``."""

import click

from audit import __version__
from audit.cli.options import examples, json_option, print_json


@click.command(epilog=examples("arr version", "arr version --json"))
@json_option
def version(as_json: bool) -> None:
    """Print the version; as JSON also whether its busiest modules are compiled."""
    if as_json:
        from audit.bench.machine import is_compiled

        print_json({"version": __version__, "compiled": is_compiled()})
    else:
        click.echo(__version__)
