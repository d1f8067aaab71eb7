"""``arr serve`` with a destination: the push is one process more, brought back when it dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit.service.paths import DataPaths
from audit.service.status import read_status
from audit.transport.append_socket import AppendClient
from tests import pki
from tests.siem.receiving import Rsyslog
from tests.waiting import until

pytestmark = [pytest.mark.outsider, pytest.mark.slow, pytest.mark.timeout(600)]

SETTINGS = """
data = "{folder}/data"
[syslog]
host = "127.0.0.1"
tls_port = 0
udp_enabled = false
[trust]
certificate = "{certificate}"
private_key = "{key}"
client_ca = "{ca}"
[journal]
reserve_octets = 0
[web]
host = "127.0.0.1"
port = 0
plain_http = true
[ops]
port = 0
[siem.destinations.soc]
host = "localhost"
port = {port}
format = "cef"
ca = "{ca}"
certificate = "{client}"
private_key = "{client_key}"
confirm_s = 0.5
"""


@pytest.fixture
def rsyslog(tmp_path: Path) -> Iterator[Rsyslog]:
    made = Rsyslog(pki.site(tmp_path / "site"), tmp_path / "rsyslog")
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def served(settings: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "audit.cli", "serve", "--config", str(settings)]
    with (settings.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_it_is_brought_back_and_leaves_nothing_out(tmp_path: Path, rsyslog: Rsyslog) -> None:
    site, settings = rsyslog.site, tmp_path / "arr.toml"
    certificate, key = site.server_files
    client, client_key = site.client_files
    settings.write_text(
        SETTINGS.format(
            folder=tmp_path,
            certificate=certificate,
            key=key,
            ca=site.ca_file,
            port=rsyslog.port,
            client=client,
            client_key=client_key,
        )
    )
    paths = DataPaths(tmp_path / "data")

    def say(number: int) -> None:
        raw = f"<85>1 - host-{number} app - - - words {number}".encode()
        appends.append(raw, "import")

    def has(number: int) -> bool:
        return any(f" dvchost=host-{number} " in line for line in rsyslog.lines())

    def confirmed() -> int:
        status = read_status(paths.status("push"))
        return 0 if status is None else int(status.detail.get("soc", {}).get("confirmed", 0))

    def takes_records() -> bool:
        status = read_status(paths.status("receive"))
        return status is not None and status.ready

    with served(settings):
        until(takes_records, within_s=60)
        appends = AppendClient(paths.append_socket)
        say(1)
        until(lambda: has(1), within_s=60)
        first = read_status(paths.status("push"))
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        say(2)
        until(lambda: has(2), within_s=60)
        appends.close()
        until(lambda: confirmed() >= 2, within_s=60)
