"""HAPI FHIR, which nobody here wrote, reads our answers and finds nothing against R4."""

from pathlib import Path

import httpx2
import orjson
import pytest

from audit.fhir.values import Json
from audit.query.access import READ_SCOPES, Scope
from audit.record.assess import assess
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority
from tests.fhir.samples import as_fhir, samples
from tests.hapi.java import ask_hapi, class_path
from tests.service.places import make_place
from tests.service.whole import Whole, whole
from tests.waiting import until
from tests.web.stack import hospital_day

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

SCOPES = (*READ_SCOPES, Scope.EVENTS_WRITE)
BATCH = 100


def ids_said(said: list[str], what: str) -> list[str]:
    return [line.partition(" ")[2] for line in said if line.startswith(f"{what} ")]


def filled(running: Whole, messages: list[bytes]) -> None:
    """Journal the messages and wait until they are found."""
    appends = AppendClient(running.place.paths.append_socket)
    for start in range(0, len(messages), BATCH):
        appends.append_all(messages[start : start + BATCH], "tls", "192.0.2.7:50100")
    appends.close()


def answers_of(address: str, token: str) -> list[Json]:
    """Answers of every kind: a page, one event, an outcome, a part of each, pseudonyms."""
    headers = {"Authorization": f"Bearer {token}"}
    date = "date=ge2020"
    with httpx2.Client(base_url=f"{address}/fhir", headers=headers) as client:
        page = client.get(f"AuditEvent?{date}&_count=40").json()
        return [
            page,
            page["entry"][0]["resource"],
            client.get(f"AuditEvent?{date}&_count=5&_summary=true").json(),
            client.get(f"AuditEvent?{date}&_count=5&_elements=outcome&colour=red").json(),
            client.get(f"AuditEvent?{date}&_summary=count").json(),
            client.get("AuditEvent").json(),
            client.get("AuditEvent/none").json(),
            client.get("metadata").json(),
            client.post("", content=b"{}").json(),
        ]


def test_the_client_pages_and_the_validator_finds_no_error(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    class_path()
    messages = hospital_day(150)
    accessed = sum(assess(one[one.index(b"<?xml") :]).event == "110103" for one in messages)
    with whole(make_place(tmp_path, authority)) as running:
        filled(running, messages)
        token = running.token(*SCOPES)

        def found() -> bool:
            headers = {"Authorization": f"Bearer {token}"}
            asked = f"{running.address}/fhir/AuditEvent?date=ge2020&type=110103&_count=1"
            return bool(httpx2.get(asked, headers=headers).json().get("total") == accessed)

        until(found, within_s=90)
        said = ask_hapi("page", f"{running.address}/fhir", token, "7")
        told = answers_of(running.address, token)
        pseudonyms = answers_of(running.address, running.token(Scope.EVENTS_READ))[:2]
    got, posted = ids_said(said, "get"), ids_said(said, "post")
    created = set(ids_said(said, "get-created") + ids_said(said, "post-created"))
    assert ids_said(said, "get-total") == [str(accessed)]
    assert len(got) == len(set(got)) == accessed
    assert len(posted) == len(set(posted)) >= accessed
    assert len(created) >= 2 * (accessed // 7 - 1)
    assert not created & set(got)
    assert set(got) <= set(posted) <= set(got) | created
    assert_valid(tmp_path, [*told, *pseudonyms])


def assert_valid(folder: Path, answers: list[Json]) -> None:
    """No error in answers and samples, all in one run.

    Of a sample that breaks rules one error is its sender's: a code that DICOM doesn't have.
    """
    known = list(samples())
    faulty = {n for n, (_, octets) in enumerate(known) if assess(octets).findings}
    assert len(known) - len(faulty) > 45
    resources = [*(as_fhir(octets) for _, octets in known), *answers]
    file = folder / "resources.ndjson"
    file.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in resources))
    said = ask_hapi("validate", str(file))
    assert said[-1] == f"validated {len(resources)}"
    errors = [
        line
        for line in said
        if line.startswith("error ")
        and not (int(line.split(" ")[1]) in faulty and "Unknown code" in line)
    ]
    assert errors == []
