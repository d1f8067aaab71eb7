"""The FHIR interfaces as the web process serves them."""

from pathlib import Path

import httpx2
import pytest

from audit.query.access import Scope
from audit.service.fhir import fhir_options
from audit.transport.pki import CertificateAuthority
from tests.conformance.json_cases import QUERY
from tests.service.places import make_place
from tests.service.whole import whole

SECRET = "Zyx98Wvu"


def test_what_is_posted_is_found_and_no_address_is_logged(
    tmp_path: Path, authority: CertificateAuthority, capfd: pytest.CaptureFixture[str]
) -> None:
    place = make_place(tmp_path, authority, fhir__read_wait_s=30)
    event = QUERY.replace(b"P48003", SECRET.encode())
    with whole(place) as running:
        scopes = (Scope.EVENTS_READ, Scope.PATIENTS_IDENTIFY, Scope.EVENTS_WRITE, Scope.EVENTS_RAW)
        headers = {"Authorization": f"Bearer {running.token(*scopes)}"}
        with httpx2.Client(base_url=running.address, headers=headers) as client:
            made = client.post(
                "/fhir/AuditEvent",
                content=event,
                headers={"Content-Type": "application/fhir+json"},
            )
            assert made.status_code == 201
            address = made.headers["location"].removeprefix(running.address)
            assert client.get(address).status_code == 200
            asked = f"date=ge2020&patient.identifier={SECRET}&{SECRET}=1&_count=1"
            found = client.get(f"/fhir/AuditEvent?{asked}").json()
            assert found["total"] == 1
            messages = client.get(f"/syslogsearch?date=ge2020&msg={SECRET}").json()
            assert SECRET in messages[-1]["msg"]
            metrics = running.web.status().metrics
    written = capfd.readouterr()
    assert "/fhir/AuditEvent" in metrics
    for text in (metrics, written.out, written.err):
        assert f"={SECRET}" not in text
        assert "patient.identifier=" not in text


def test_limits_are_settings(tmp_path: Path, authority: CertificateAuthority) -> None:
    given = {
        "base_url": "https://audit.example/fhir",
        "date_bounds": "both",
        "default_count": 7,
        "max_count": 8,
        "max_examined": 9,
        "max_counted": 10,
        "max_parameter_chars": 100,
        "max_bundle_entries": 11,
        "read_wait_s": 0.5,
    }
    flags = {f"fhir__{name}": value for name, value in given.items()}
    place = make_place(tmp_path, authority, **flags)
    made = fhir_options(place.settings, bytes(32))
    assert {name: getattr(made, name) for name in given} == given
