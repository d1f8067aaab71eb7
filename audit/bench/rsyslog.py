"""rsyslog as the yardstick: TLS in, a file or Elasticsearch out; nothing is parsed or synced."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.bench.clocks import wait_until
from audit.bench.repository import LOOPBACK, Site

_SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
_STARTS_WITHIN_S = 15.0
_STOPS_WITHIN_S = 10.0

_CONFIGURATION = """
global(
  workDirectory="{folder}"
  maxMessageSize="1m"
  parser.escapeControlCharactersOnReceive="off"
  net.enableDNS="off"
  defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{ca}"
  defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}"
)
module(
  load="imtcp" streamDriver.name="ossl" streamDriver.mode="1"
  streamDriver.authMode="x509/certvalid"
)
input(
  type="imtcp" address="{host}" port="0"
  listenPortFileName="{folder}/port" maxFrameSize="1000000"
)
{output}
"""

_TO_FILE = """
template(name="unchanged" type="string" string="%rawmsg%\\n")
action(type="omfile" file="{folder}/received" template="unchanged")
"""

_TO_ELASTICSEARCH = """
module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="message" name="rawmsg" format="jsonf")
}}
action(
  type="omelasticsearch" server="{host}" serverport="{port}" uselocalhost="off"
  searchIndex="{index}" searchType="" bulkmode="on" maxbytes="16m" template="document"
  queue.type="LinkedList" queue.size="50000" queue.dequeueBatchSize="1000"
  queue.workerThreads="2" action.resumeRetryCount="-1" errorfile="{folder}/refused"
)
"""


@dataclass(frozen=True, slots=True)
class RunningRsyslog:
    """An rsyslogd that takes messages.

    Attributes:
        port: of its TLS listener.
        received: the file it writes to, a message a line.
    """

    port: int
    received: Path

    def octets(self) -> int:
        """How much it has written."""
        return self.received.stat().st_size if self.received.exists() else 0


def installed() -> str | None:
    """The path of rsyslogd where it is installed with TLS by OpenSSL, else None."""
    program = shutil.which("rsyslogd", path=_SYSTEM_PATH)
    has_tls = any(Path("/usr/lib").glob("**/rsyslog/lmnsd_ossl.so"))
    return program if has_tls else None


def has_elasticsearch() -> bool:
    """Whether rsyslog's way into Elasticsearch is installed (Debian: rsyslog-elasticsearch)."""
    return any(Path("/usr/lib").glob("**/rsyslog/omelasticsearch.so"))


@dataclass(frozen=True, slots=True)
class ElasticsearchTarget:
    """Where rsyslog puts messages: an index of an Elasticsearch on this machine."""

    host: str
    port: int
    index: str


def _configuration(site: Site, folder: Path, target: ElasticsearchTarget | None) -> str:
    ca, certificate, key = site.server_files()
    output = (
        _TO_FILE.format(folder=folder)
        if target is None
        else _TO_ELASTICSEARCH.format(
            folder=folder, host=target.host, port=target.port, index=target.index
        )
    )
    return _CONFIGURATION.format(
        folder=folder, ca=ca, certificate=certificate, key=key, host=LOOPBACK, output=output
    )


@contextmanager
def running_rsyslog(
    program: str, site: Site, target: ElasticsearchTarget | None = None
) -> Iterator[RunningRsyslog]:
    """A running rsyslogd with the site's certificates, in its folder; stopped afterwards."""
    folder = site.folder / "rsyslog"
    folder.mkdir()
    configuration = folder / "rsyslog.conf"
    configuration.write_text(_configuration(site, folder, target), encoding="utf-8")
    port_file = folder / "port"
    command = [program, "-n", "-f", str(configuration), "-i", str(folder / "pid")]
    with (folder / "output").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)  # noqa: S603 - found above
    try:
        wait_until(
            lambda: port_file.exists() and bool(port_file.read_text()),
            _STARTS_WITHIN_S,
            "rsyslogd listens",
        )
        yield RunningRsyslog(int(port_file.read_text()), folder / "received")
    finally:
        process.terminate()
        try:
            process.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
