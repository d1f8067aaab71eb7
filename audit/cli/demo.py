"""``arr demo``."""

from pathlib import Path
from typing import Any

import click

from audit.cli.options import examples


@click.command(
    epilog=examples(
        "arr demo", "arr demo --data /tmp/demo --for 60", "arr demo --http-port 9000 --seed 7"
    )
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("arr-data"),
    show_default=True,
    help="Folder that holds everything kept.",
)
@click.option("--http-port", type=int, help="Port of the pages (8080, or a free one; 0: any).")
@click.option("--syslog-port", type=int, help="TLS syslog port (6514, or a free one; 0: any).")
@click.option("--for", "seconds", type=float, help="Stop so many seconds after all is ready.")
@click.option("--seed", default=1, show_default=True, help="Names and choices follow from it.")
def demo(
    data: Path,
    http_port: int | None,
    syslog_port: int | None,
    seconds: float | None,
    seed: int,
) -> None:
    """Run a repository and a hospital of real DICOM nodes that feeds it, until Ctrl-C.

    Writes DATA/demo/access.json with addresses, a login, a token and a client certificate.
    """
    # Before anything slow: who waits for this file must not read that of an earlier run.
    (data / "demo" / "access.json").unlink(missing_ok=True)
    from audit.demo.run import DemoOptions, run_demo
    from audit.service.logs import configure_logs

    configure_logs("warning")
    click.echo("Starting the repository and its hospital …", err=True)
    run_demo(
        DemoOptions(
            data=data,
            http_port=http_port,
            syslog_port=syslog_port,
            seconds=seconds,
            seed=seed,
            announce=lambda access: _announce(data, access),
        )
    )
    click.echo("Stopped.", err=True)


def _announce(data: Path, access: dict[str, Any]) -> None:
    click.echo(
        f"\n  Open  {access['url']}\n"
        f"  user  {access['username']}\n"
        f"  password  {access['password']}\n\n"
        f"  API token, syslog and DICOM addresses, a client certificate: "
        f"{data / 'demo' / 'access.json'}\n"
        f"  Press Ctrl-C to stop.\n"
    )


@click.command(hidden=True, epilog=examples("arr demo-hospital < options.json"))
def demo_hospital() -> None:
    """Play the demo's hospital; its options come as one line on standard input."""
    from audit.demo.run import run_hospital
    from audit.service.supervise import follow_parent

    run_hospital(follow_parent())
