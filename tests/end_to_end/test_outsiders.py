"""Programs that nobody here wrote use the running demo: DCMTK as a client, rsyslog as a sender."""

import socket
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.journal.reader import JournalReader
from audit.nodes.instances import instances
from audit.service.site_pki import enrol
from audit.simulate.hospital import simulate
from audit.transport.pki import Request, self_signed
from tests.end_to_end.demo_run import DemoRun
from tests.needs import missing, program
from tests.nodes.examinations import examination
from tests.waiting import until

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


def dcmtk(demo: DemoRun, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    client, dicom = demo.access["client"], demo.access["dicom"]
    tls = ["+tls", client["key"], client["cert"], "+cf", client["ca"]]
    where = ["-aec", dicom["ae_title"], dicom["host"], str(dicom["port"])]
    return subprocess.run(
        [program(name), *tls, *where, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_what_storescu_stores_is_a_transfer_in_the_trail(demo: DemoRun, tmp_path: Path) -> None:
    patient = f"DCMTK-{uuid.uuid4().hex[:8]}"
    files = []
    for number, dataset in enumerate(instances(examination("CT"))):
        dataset.PatientID = patient
        files.append(str(tmp_path / f"{number}.dcm"))
        dataset.save_as(files[-1], enforce_file_format=True)
    stored = dcmtk(demo, "storescu", *files)
    assert stored.returncode == 0, stored.stderr
    item = demo.found(f"event:110104 patient:{patient}")[0]
    assert "STORESCU" in item["ae"]
    assert (item["tier"], item["verdict"]) == ("dicom", "valid")


def test_what_findscu_asks_is_a_query_in_the_trail(demo: DemoRun) -> None:
    patient = f"DCMTK-{uuid.uuid4().hex[:8]}"
    keys = ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"PatientID={patient}")
    asked = dcmtk(demo, "findscu", *keys)
    assert asked.returncode == 0, asked.stderr
    item = demo.found(f"event:110112 patient:{patient}")[0]
    assert f"PatientID={patient}" in item["query_key"]
    assert "FINDSCU" in item["ae"]


RSYSLOG = """
global(workDirectory="{work}" maxMessageSize="64k"
       parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriverCAFile="{ca}"
       defaultNetstreamDriverCertFile="{cert}"
       defaultNetstreamDriverKeyFile="{key}")
module(load="imuxsock" sysSock.use="off")
module(load="imfile")
module(load="imudp")
template(name="asis" type="string" string="%rawmsg%")
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="forward")
ruleset(name="forward") {{
  action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="asis"
         TCP_Framing="octet-counted" StreamDriver="ossl" StreamDriverMode="1"
         StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost")
}}
"""


@pytest.fixture
def rsyslog_port(demo: DemoRun, tmp_path: Path) -> Iterator[int]:
    """A real rsyslog that forwards what it gets by UDP to the demo over mutual TLS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        udp = probe.getsockname()[1]
    client = demo.access["client"]
    config = tmp_path / "rsyslog.conf"
    config.write_text(
        RSYSLOG.format(
            work=tmp_path,
            ca=client["ca"],
            cert=client["cert"],
            key=client["key"],
            udp=udp,
            port=demo.access["syslog"]["tls_port"],
        )
    )
    arguments = ["-n", "-f", str(config), "-i", str(tmp_path / "rsyslog.pid")]
    with (tmp_path / "rsyslog.log").open("wb") as log:
        daemon = subprocess.Popen([program("rsyslogd"), *arguments], stdout=log, stderr=log)
    try:
        until(lambda: (tmp_path / "rsyslog.pid").exists() or daemon.poll() is not None)
        if daemon.poll() is not None:
            missing(f"rsyslogd does not start: {(tmp_path / 'rsyslog.log').read_text()}")
        yield udp
    finally:
        daemon.terminate()
        daemon.wait(20)


def test_what_rsyslog_forwards_arrives_unchanged(demo: DemoRun, rsyslog_port: int) -> None:
    host = f"fwd-{uuid.uuid4().hex[:12]}"
    sent = []
    for message in simulate(11, datetime.now(UTC), events=20):
        _, _, rest = message.syslog.partition(b" ")
        timestamp, _, rest = rest.partition(b" ")
        _, _, rest = rest.partition(b" ")
        sent.append(b" ".join((b"<85>1", timestamp, host.encode(), rest)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for raw in sent:
            sender.sendto(raw, ("127.0.0.1", rsyslog_port))
    until(lambda: demo.count(f"host:{host}") == len(sent), within_s=90, every_s=0.2)
    with JournalReader(demo.data / "journal") as reader:
        kept = [
            reader.read(item["sequence"]).received.raw
            for item in demo.search(f"host:{host}", 100)["items"]
        ]
    assert sorted(kept) == sorted(sent)


def test_a_self_signed_sender_is_accepted_once_enrolled_and_refused_before(
    demo: DemoRun, tmp_path: Path
) -> None:
    name = f"vendor-{uuid.uuid4().hex[:8]}"
    certificate, key = self_signed(Request(name)).write(tmp_path, name)
    message = tmp_path / "message.xml"
    message.write_bytes(b"<AuditMessage/>")
    sending = (
        "send", str(message), "--host", "localhost",
        "--port", str(demo.access["syslog"]["tls_port"]),
        "--cert", str(certificate), "--key", str(key), "--ca", demo.access["client"]["ca"],
    )  # fmt: skip
    refused = demo.run_arr(*sending)
    assert refused.returncode == 7, refused
    alert = demo.found(f"type:110126 node:demo-repository {name.split('-')[1]}")[0]
    with demo.http as client:
        event = client.get(f"/api/v1/events/{alert['id']}").json()
    assert "self" in event["body"]["message"]["event"]["outcome_description"]
    enrol(certificate, demo.data / "enrolled")
    until(lambda: demo.run_arr(*sending).returncode == 0, within_s=90, every_s=1)
