"""A FHIR client in front of a small repository."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fhir.resources.R4B.operationoutcome import OperationOutcome
from starlette.testclient import TestClient

from audit.api.access import Doorkeeper
from audit.api.fhir import create_fhir_routes
from audit.api.syslog_search import create_syslog_search_routes
from audit.fhir.options import FhirOptions
from audit.fhir.values import Json
from audit.web.application import create_app
from audit.web.options import WebOptions
from tests.web.stack import Stack

EVENTS = "/fhir/AuditEvent"
SINCE = ("date", "ge2020-01-01")
PATIENT = "patient.identifier"

WEB = WebOptions(https=False, allowed_hosts=("testserver", "127.0.0.1"), request_burst=10_000)


def fhir_application(made: Stack, web: WebOptions = WEB, **options: Any) -> FastAPI:
    """FHIR and ITI-82 on a repository."""
    fhir = FhirOptions(**({"page_key": bytes(32)} | options))

    def append_all(raws: Sequence[bytes], peer: str) -> tuple[int, ...]:
        assert peer
        return tuple(made.append(raw, listener="fhir") for raw in raws)

    trail, door = made.search.trail, Doorkeeper.of(made.state, web)
    routes = create_fhir_routes(trail, append_all, door, fhir)
    syslog = create_syslog_search_routes(trail, door, fhir)
    return create_app(web, [routes, syslog])


def fhir_client(made: Stack, *scopes: str, **options: Any) -> TestClient:
    """A client with a new token of these scopes, by default all that read."""
    headers = {"Authorization": f"Bearer {made.token(*scopes)}"}
    application = fhir_application(made, **options)
    return TestClient(application, headers=headers, raise_server_exceptions=False)


def bundle(client: TestClient, *asked: tuple[str, str], posted: bool = False) -> Json:
    """The first page of a search that must be answered; the dates are given."""
    pairs = [SINCE, *asked]
    if posted:
        answer = client.post(f"{EVENTS}/_search", data=_form(pairs))
    else:
        answer = client.get(f"{EVENTS}?{urlencode(pairs)}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def _form(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def link(found: Json, relation: str) -> str:
    """The address of a link; empty without one."""
    return next((one["url"] for one in found["link"] if one["relation"] == relation), "")


def resources(found: Json) -> list[Json]:
    """The AuditEvents of a page."""
    entries = found.get("entry", [])
    return [one["resource"] for one in entries if one["search"]["mode"] == "match"]


def whole(client: TestClient, *asked: tuple[str, str], posted: bool = False) -> list[Json]:
    """Every AuditEvent of a search, page by page."""
    found = bundle(client, *asked, posted=posted)
    seen = resources(found)
    while following := link(found, "next"):
        found = client.get(following).json()
        seen += resources(found)
    return seen


def ids(found: list[Json]) -> list[str]:
    return [one["id"] for one in found]


def is_own(resource: Json) -> bool:
    """Whether the repository itself made it."""
    return bool(resource["source"]["observer"].get("identifier", {}).get("value") == "arr")


def refused(client: TestClient, asked: str, status: int = 400, **headers: str) -> Json:
    """The OperationOutcome of a search that must not be answered."""
    answer = client.get(f"{EVENTS}?{asked}", headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    told: Json = answer.json()
    OperationOutcome.model_validate(told)
    return told
