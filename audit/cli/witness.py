"""``arr witness``."""

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.options import examples, json_option, print_json

if TYPE_CHECKING:
    from audit.journal.witness_key import WitnessKey


@click.command(
    epilog=examples(
        "arr witness --listen 0.0.0.0:8553 --store /var/lib/arr-witness --log LOGKEY",
        "arr witness --listen [::1]:0 --store ./witness --log LOGKEY --name witness.example.org",
    )
)
@click.option(
    "--listen", required=True, metavar="HOST:PORT", help="Address to answer on; port 0 picks one."
)
@click.option(
    "--store",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of its key and of the newest head it has seen of each log.",
)
@click.option(
    "--log",
    "logs",
    required=True,
    multiple=True,
    metavar="VKEY",
    help="Verifier key of a log to watch (arr checkpoint --key); may be given several times.",
)
@click.option(
    "--name", default="", help="Name of this witness, at the first start (default HOST)."
)
@click.option(
    "--cert",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="PEM certificate chain, for HTTPS.",
)
@click.option(
    "--cert-key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="PEM private key of it.",
)
@json_option
def witness(
    listen: str,
    store: Path,
    logs: tuple[str, ...],
    name: str,
    cert: Path | None,
    cert_key: Path | None,
    as_json: bool,
) -> None:
    """Watch logs of other machines and cosign their heads as long as they only grow.

    Run it elsewhere than the repository, under somebody else's hands: it is what finds that a
    whole journal was replaced. Speaks C2SP tlog-witness (POST /add-checkpoint). Its key is made at
    the first start; give it to the repository as journal.witnesses = ["URL KEY"].
    """
    from audit.journal.witness_store import NAME_FILE
    from audit.service.logs import configure_logs
    from audit.service.publish_proofs import log_keys
    from audit.service.witness import WitnessOptions, run_witness

    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("it is written HOST:PORT", param_hint="--listen")
    if not name and not (store / NAME_FILE).exists():
        name = socket.gethostname() or "localhost"

    def ready(address: str, key: "WitnessKey") -> None:
        if as_json:
            print_json({"url": address, "verifier_key": key.text})
        else:
            click.echo(f"{address} {key.text}")

    configure_logs()
    run_witness(
        WitnessOptions(
            host=host.strip("[]"),
            port=int(port),
            store=store,
            logs=log_keys(logs),
            name=name,
            certificate=cert,
            private_key=cert_key,
        ),
        ready,
    )
