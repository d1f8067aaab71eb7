"""Exports as jobs over the API."""

import io
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from time import time_ns
from typing import Any

import pytest
from starlette.testclient import TestClient

from audit.journal.standalone import verify_evidence
from audit.query.access import READ_SCOPES, Scope
from audit.state.grants import Grants
from audit.state.sessions import Guest
from audit.web.options import WebOptions
from tests.api.conftest import client_of
from tests.waiting import until
from tests.web.stack import Stack, application, hospital_day

EXPORTS = "/api/v1/exports"


@pytest.fixture
def repository(own: Stack) -> Stack:
    """A small one whose every own record is covered by a head at once."""
    own.add(hospital_day(12))
    plain = own.append

    def append(raw: bytes, *, listener: str = "internal", at: int | None = None) -> int:
        sequence = plain(raw, listener=listener, at=at)
        own.writer.publish_head()
        return sequence

    own.append = append  # type: ignore[method-assign]
    return own


@pytest.fixture
def client(repository: Stack) -> Iterator[TestClient]:
    with client_of(repository) as made:
        yield made


def done(client: TestClient, **asked: Any) -> dict[str, Any]:
    """Ask for an export and wait for it."""
    answer = client.post(EXPORTS, json=asked)
    assert answer.status_code == 200, answer.text
    address = f"{EXPORTS}/{answer.json()['id']}"
    until(lambda: client.get(address).json()["state"] in {"done", "failed"})
    job: dict[str, Any] = client.get(address).json()
    assert job["state"] == "done", job
    return job


@pytest.mark.parametrize("form", ["ndjson", "csv", "original"])
def test_an_export_of_each_form(client: TestClient, form: str) -> None:
    job = done(client, query="", format=form, sort="oldest")
    answer = client.get(f"{EXPORTS}/{job['id']}/content")
    assert len(answer.content) == job["octets"]
    digest = answer.headers["repr-digest"].removeprefix("sha-256=:").removesuffix(":")
    assert b64decode(digest).hex() == job["sha256"]
    assert job["count"] == 12


def test_a_bundle_is_checked_by_anybody(
    client: TestClient, repository: Stack, tmp_path: Any
) -> None:
    job = done(client, query="category:query", format="evidence", reason="case 7")
    content = client.get(f"{EXPORTS}/{job['id']}/content")
    assert content.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(content.content)) as archive:
        assert b"case 7" in archive.read("export.json")
    file = tmp_path / "bundle.zip"
    file.write_bytes(content.content)
    key = repository.reader.identity.current_key.text
    assert verify_evidence.main(["bundle", str(file), "--key", key]) == 0


def test_a_broken_fetch_goes_on_by_range(client: TestClient) -> None:
    job = done(client, query="")
    address = f"{EXPORTS}/{job['id']}/content"
    whole = client.get(address).content
    rest = client.get(address, headers={"Range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole[100:])


def test_a_list_and_a_deletion(client: TestClient) -> None:
    job = done(client, query="")
    assert [one["id"] for one in client.get(EXPORTS).json()["items"]] == [job["id"]]
    assert client.delete(f"{EXPORTS}/{job['id']}").json() == {"id": job["id"]}
    assert client.get(EXPORTS).json()["items"] == []
    assert client.get(f"{EXPORTS}/{job['id']}").status_code == 404


def test_another_token_knows_nothing_of_it(repository: Stack) -> None:
    app = application(repository)
    mine, other = (
        TestClient(app, headers={"Authorization": f"Bearer {repository.token()}"})
        for _ in range(2)
    )
    job = done(mine, query="")
    assert other.get(f"{EXPORTS}/{job['id']}").status_code == 404
    assert other.get(f"{EXPORTS}/{job['id']}/content").status_code == 404
    assert other.get(EXPORTS).json() == {"items": []}


def test_faults_are_told_at_once(client: TestClient, repository: Stack) -> None:
    assert client.post(EXPORTS, json={"query": "patientt:1"}).status_code == 400
    assert client.post(EXPORTS, json={"format": "pdf"}).status_code == 422
    assert client.post(EXPORTS, json={"format": "evidence"}).status_code == 400
    repository.journal_fails = True
    assert client.post(EXPORTS, json={}).status_code == 503


def test_nothing_is_fetched_unrecorded(client: TestClient, repository: Stack) -> None:
    job = done(client, query="")
    repository.journal_fails = True
    assert client.get(f"{EXPORTS}/{job['id']}/content").status_code == 503
    repository.journal_fails = False
    client.get(f"{EXPORTS}/{job['id']}/content")
    assert any(b"export" in raw for raw in repository.own_records()[-1:])


def test_scopes(repository: Stack) -> None:
    without = READ_SCOPES - {Scope.EVENTS_EXPORT}
    with client_of(repository, *without) as reader:
        assert reader.post(EXPORTS, json={}).status_code == 403
        assert reader.get(EXPORTS).status_code == 403
    with client_of(repository, Scope.EVENTS_EXPORT) as exporter:
        assert exporter.post(EXPORTS, json={"format": "original"}).status_code == 403
        assert done(exporter)["count"] == 12


def test_what_was_made_with_other_rights_is_not_theirs_any_more(repository: Stack) -> None:
    roles = {"investigator"}

    def vouched(_: str) -> Guest:
        grants = Grants(roles=frozenset(roles), scopes=frozenset({Scope.EVENTS_EXPORT}))
        return Guest(
            name="mara",
            display_name="Mara",
            grants=grants,
            issuer="https://idp.example",
            proved_at=time_ns(),
        )

    web = WebOptions(https=False, allowed_hosts=("testserver",), bearer=vouched)
    with TestClient(application(repository, web)) as client:
        client.headers["Authorization"] = "Bearer a.b.c"
        address = f"{EXPORTS}/{done(client, query='', format='csv')['id']}"
        assert client.get(f"{address}/content").is_success
        roles.clear()
        roles.add("reviewer")
        assert client.get(EXPORTS).json()["items"] == []
        for path in (address, f"{address}/content"):
            assert client.get(path).status_code == 404
        assert client.delete(address).status_code == 404
        roles.add("investigator")
        assert client.get(f"{address}/content").is_success
