"""A real rsyslog that takes the push over mutual TLS, and what it wrote."""

import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.needs import missing
from tests.pki import Site
from tests.waiting import until

PROGRAM = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

CONFIGURATION = """
global(
  workDirectory="{folder}"
  maxMessageSize="64k"
  net.enableDNS="off"
  parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{ca}"
  defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}"
)
module(
  load="imtcp" streamDriver.name="ossl" streamDriver.mode="1"
  streamDriver.authMode="x509/certvalid"
)
input(type="imtcp" address="127.0.0.1" port="{port}" maxFrameSize="200000")
template(name="unchanged" type="string" string="%rawmsg%\\n")
action(type="omfile" file="{folder}/received" template="unchanged")
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Rsyslog:
    """One rsyslogd on a port of its own, started and stopped at will; it appends to one file."""

    site: Site
    folder: Path
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; back when it listens."""
        if PROGRAM is None or not any(Path("/usr/lib").glob("**/rsyslog/lmnsd_ossl.so")):
            missing("rsyslog with TLS by OpenSSL is not installed")
        assert PROGRAM is not None
        self.folder.mkdir(exist_ok=True)
        certificate, key = self.site.server_files
        configuration = self.folder / "rsyslog.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                ca=self.site.ca_file,
                certificate=certificate,
                key=key,
                port=self.port,
            )
        )
        command = [PROGRAM, "-n", "-f", str(configuration), "-i", str(self.folder / "pid")]
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        until(self._listens)

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """Stop it as an operator would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def pause(self) -> None:
        """Let it read nothing until it goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After a pause."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def lines(self) -> list[str]:
        """What it wrote, whole lines only."""
        written = self.folder / "received"
        if not written.exists():
            return []
        return written.read_text(encoding="utf-8").split("\n")[:-1]
