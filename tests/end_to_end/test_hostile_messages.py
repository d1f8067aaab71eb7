"""Whatever comes in ends as a stored, searchable record that says what is wrong."""

import socket
import ssl
import uuid

import pytest

from audit.frame.octet_counting import encode
from tests.end_to_end.demo_run import DemoRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HEADER = b"<85>1 2026-01-01T00:00:00Z %b test 7 IHE+RFC-3881 - "
MINIMAL = (
    b'<AuditMessage><EventIdentification EventActionCode="E" EventDateTime="2026-01-01T00:00:00Z" '
    b'EventOutcomeIndicator="0"><EventID csd-code="110100" codeSystemName="DCM" '
    b'originalText="Application Activity"/></EventIdentification>%b</AuditMessage>'
)


def send(demo: DemoRun, data: bytes) -> None:
    client = demo.access["client"]
    context = ssl.create_default_context(cafile=client["ca"])
    context.load_cert_chain(client["cert"], client["key"])
    address = (demo.access["syslog"]["host"], demo.access["syslog"]["tls_port"])
    with (
        socket.create_connection(address) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(data)
        secure.unwrap()


@pytest.mark.parametrize(
    ("msg", "verdict", "finding"),
    [
        (b"no xml at all", "malformed", "not-xml"),
        (b'<?xml version="1.0"?><other><thing/></other>', "invalid", "wrong-root"),
        (MINIMAL % b"", "invalid", "*"),
        (b'<!DOCTYPE AuditMessage [<!ENTITY x "y">]>' + MINIMAL % b"&x;", "malformed", "*"),
        (MINIMAL % (b"<!--" + b"x" * 1_000_000 + b"-->"), "invalid", "*"),
        (MINIMAL % b"\x00\xff", "malformed", "*"),
    ],
    ids=["not XML", "XML of another kind", "schema-invalid", "DOCTYPE", "1 MB", "no text"],
)
def test_a_bad_message_is_kept_and_found(
    demo: DemoRun, msg: bytes, verdict: str, finding: str
) -> None:
    host = f"bad-{uuid.uuid4().hex[:12]}"
    send(demo, encode(HEADER % host.encode() + msg))
    item = demo.found(f"host:{host}")[0]
    assert item["verdict"] == verdict
    assert item["severity"] == "error"
    if finding != "*":
        assert finding in item["finding"]
    with demo.http as client:
        raw = client.get(f"/api/v1/events/{item['id']}/message").content
        event = client.get(f"/api/v1/events/{item['id']}").json()
    assert raw == HEADER % host.encode() + msg
    assert all(found["fix"] for found in event["body"]["findings"])


def test_of_20_megabytes_the_head_is_kept_with_a_finding(demo: DemoRun) -> None:
    host = f"big-{uuid.uuid4().hex[:12]}"
    message = HEADER % host.encode() + MINIMAL % (b"<!--" + b"x" * 20_000_000 + b"-->")
    send(demo, encode(message))
    item = demo.found(f"host:{host} finding:message-truncated")[0]
    with demo.http as client:
        raw = client.get(f"/api/v1/events/{item['id']}/message").content
    assert len(raw) == 65536
    assert message.startswith(raw)
