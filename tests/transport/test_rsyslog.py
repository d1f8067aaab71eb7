"""A sender that nobody here wrote: rsyslog forwards over mutual TLS, and nothing is changed."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from audit.frame.octet_counting import encode
from audit.transport.pki import Credentials
from tests import pki
from tests.pki import Site
from tests.transport.receiving import options, receiver_thread, until_in_thread

RSYSLOGD = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
INSTALLED = RSYSLOGD and any(Path("/usr/lib").glob("**/rsyslog/lmnsd_ossl.so"))

CONFIGURATION = """
global(
  workDirectory="{folder}"
  maxMessageSize="1m"
  parser.escapeControlCharactersOnReceive="off"
  parser.dropTrailingLFOnReception="off"
  net.enableDNS="off"
  defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{ca}"
  defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}"
)
module(load="imtcp" streamDriver.name="ptcp" streamDriver.mode="0")
input(
  type="imtcp" address="127.0.0.1" port="0"
  listenPortFileName="{folder}/port" maxFrameSize="1000000"
)
template(name="unchanged" type="string" string="%rawmsg%")
action(
  type="omfwd" protocol="tcp" target="127.0.0.1" port="{port}"
  template="unchanged" tcp_framing="octet-counted"
  streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/certvalid"
  action.resumeRetryCount="-1" action.resumeInterval="1"
  queue.type="linkedList"
)
"""

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.skipif(
        not INSTALLED and not os.environ.get("CI"),
        reason="rsyslog and rsyslog-openssl are not installed",
    ),
]


@contextmanager
def rsyslog(site: Site, credentials: Credentials, port: int, folder: Path) -> Iterator[Path]:
    """A running rsyslogd that forwards to the port; gives the file with its input port."""
    assert RSYSLOGD, "rsyslog and rsyslog-openssl are needed"
    folder.mkdir()
    certificate, key = credentials.write(folder, "sender")
    configuration = folder / "rsyslog.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder, ca=site.ca_file, certificate=certificate, key=key, port=port
        )
    )
    command = [RSYSLOGD, "-n", "-f", str(configuration), "-i", str(folder / "pid")]
    with (folder / "output").open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            until_in_thread(lambda: (folder / "port").exists() and (folder / "port").read_text())
            yield folder / "port"
        finally:
            child.terminate()
            child.wait(10)


def messages() -> list[bytes]:
    """With line feeds, characters of several octets, a byte order mark, and a large one."""
    head = b"<85>1 2026-03-01T09:30:00.123456Z ct1.test app 4711 IHE+RFC-3881 - "
    bodies = [
        b'<?xml version="1.0" encoding="UTF-8"?>\n<AuditMessage>\n  <x/>\n</AuditMessage>',
        "<AuditMessage name='Müller^Jürgen 山田'/>".encode(),
        b"\xef\xbb\xbf<AuditMessage/>",
        b"<AuditMessage>" + b"x" * 500_000 + b"</AuditMessage>",
        *(b"<AuditMessage n='%d'/>" % number for number in range(200)),
    ]
    return [head + body for body in bodies]


def connected(port_file: Path) -> socket.socket:
    """A connection to its input: it tells its port a little before it listens."""
    made: list[socket.socket] = []

    def connect() -> list[socket.socket]:
        with suppress(ConnectionRefusedError):
            made.append(socket.create_connection(("127.0.0.1", int(port_file.read_text()))))
        return made

    until_in_thread(connect)
    return made[0]


def feed(port_file: Path, sent: list[bytes]) -> None:
    with connected(port_file) as connection:
        for message in sent:
            connection.sendall(encode(message))


def test_rsyslog_forwards_over_mutual_tls_and_nothing_is_changed(
    site: Site, tmp_path: Path
) -> None:
    sent = messages()
    with (
        receiver_thread(options(site)) as (receiver, sink),
        rsyslog(site, pki.client("rsyslog.test"), receiver.tls_port, tmp_path / "rs") as port,
    ):
        feed(port, sent)
        until_in_thread(lambda: len(sink.arrivals) >= len(sent) or sink.refusals)
        assert not sink.refusals
        assert sink.messages == sent
        assert sink.arrivals[0].certificate_der == pki.client("rsyslog.test").certificate_der


def test_rsyslog_with_a_self_signed_enrolled_certificate(site: Site, tmp_path: Path) -> None:
    sent = messages()[:3]
    own = pki.self_signed_client("rsyslog-self.test")
    site.enrol(own)
    with (
        receiver_thread(options(site)) as (receiver, sink),
        rsyslog(site, own, receiver.tls_port, tmp_path / "rs") as port,
    ):
        feed(port, sent)
        until_in_thread(lambda: len(sink.arrivals) >= 3 or sink.refusals)
        assert sink.messages == sent


def test_rsyslog_with_a_certificate_that_is_not_enrolled_is_refused(
    site: Site, tmp_path: Path
) -> None:
    own = pki.self_signed_client("rsyslog-self.test")
    with (
        receiver_thread(options(site)) as (receiver, sink),
        rsyslog(site, own, receiver.tls_port, tmp_path / "rs") as port,
    ):
        feed(port, messages()[:1])
        until_in_thread(lambda: sink.refusals)
        assert "it is self-signed and not enrolled" in sink.reasons[0]
        assert sink.refusals[0].certificate_der == own.certificate_der
        assert not sink.arrivals
