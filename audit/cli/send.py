"""``arr send``."""

import json
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from audit.cli.options import data_option, examples, settings_from
from audit.errors import ConfigurationError, ConnectionFailed

NOTICE = 5
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@dataclass(frozen=True, slots=True)
class _Target:
    host: str
    port: int
    udp: bool
    certificate: Path | None
    key: Path | None
    ca: Path | None


@click.command(
    epilog=examples(
        "arr send message.xml",
        "arr send --host audit.example.org --cert ct.crt --key ct.key --ca ca.crt messages/",
        "arr simulate --events 1000 | arr send -",
        "arr send --udp --host 127.0.0.1 --port 514 message.xml",
    )
)
@click.argument("sources", nargs=-1, required=True)
@data_option
@click.option("--host", help="Where the repository is; without it the demo on this machine.")
@click.option("--port", type=int, help="Its port (default 6514, UDP 514).")
@click.option("--udp", is_flag=True, help="Send datagrams instead of TLS.")
@click.option("--cert", type=_FILE, help="PEM certificate to show.")
@click.option("--key", type=_FILE, help="Its PEM key.")
@click.option("--ca", type=_FILE, help="PEM file of the repository's CA.")
def send(
    sources: tuple[str, ...],
    data: Path | None,
    config_file: Path | None,
    **target: Any,
) -> None:
    """Send audit messages to a repository over TLS syslog, or UDP.

    SOURCES are files, directories or - for standard input. A message without a syslog header
    gets one.
    """
    from audit.query.message_sources import read_sources

    where = _target(data, config_file, target)
    standard_input = sys.stdin.buffer.read() if "-" in sources else b""
    sender = _open(where)
    count = 0
    confirmed: bool | None = None
    try:
        for message in read_sources(list(sources), standard_input):
            sender.send(_wrapped(message.raw, is_syslog=message.is_syslog))
            count += 1
    finally:
        confirmed = sender.close()
    if confirmed is False:
        raise ConnectionFailed(f"{count} messages sent, but {where.host} did not confirm them")
    click.echo(f"{count} messages sent to {where.host} port {where.port}", err=True)


def _target(data: Path | None, config_file: Path | None, given: dict[str, Any]) -> _Target:
    if given["host"] is not None:
        port = given["port"] or (514 if given["udp"] else 6514)
        return _Target(given["host"], port, given["udp"], given["cert"], given["key"], given["ca"])
    access_file = settings_from(data, config_file).data / "demo" / "access.json"
    try:
        access = json.loads(access_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"say where to send with --host; no demo runs here ({access_file} is missing)"
        ) from error
    syslog, client = access["syslog"], access["client"]
    port = given["port"] or syslog["udp_port" if given["udp"] else "tls_port"]
    return _Target(
        syslog["host"],
        port,
        given["udp"],
        given["cert"] or Path(client["cert"]),
        given["key"] or Path(client["key"]),
        given["ca"] or Path(client["ca"]),
    )


def _open(where: _Target) -> Any:
    from audit.transport.sender import SyslogTlsSender, SyslogUdpSender
    from audit.transport.tls import ClientTls, Trust

    if where.udp:
        return SyslogUdpSender(where.host, where.port)
    if where.ca is None or where.certificate is None or where.key is None:
        raise click.UsageError("TLS needs --cert, --key and --ca; arr pki issue makes a set")
    tls = ClientTls(
        trust=Trust(ca_files=(where.ca,)), certificate=where.certificate, private_key=where.key
    )
    return SyslogTlsSender(where.host, tls, where.port)


def _wrapped(raw: bytes, *, is_syslog: bool) -> bytes:
    from audit.frame.syslog import format_message

    if is_syslog:
        return raw
    return format_message(
        severity=NOTICE,
        hostname=socket.gethostname() or "localhost",
        app_name="arr",
        procid="send",
        timestamp=datetime.now(UTC),
        msg=raw,
    )
