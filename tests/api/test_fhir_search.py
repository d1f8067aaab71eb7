"""Retrieve ATNA Audit Event [ITI-81] over HTTP, on a simulated hospital's trail."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from fhir.resources.R4B.bundle import Bundle
from starlette.testclient import TestClient

from audit.fhir.matching import values_at
from audit.fhir.values import Json
from audit.query.access import Scope
from audit.record.audit_message import CodedValue
from tests.api.fhir_client import (
    EVENTS,
    PATIENT,
    bundle,
    fhir_client,
    ids,
    is_own,
    link,
    refused,
    resources,
    whole,
)
from tests.conformance.corpus import handwritten
from tests.conformance.json_cases import QUERY
from tests.projector.messages import message, person, syslog
from tests.web.stack import Stack, hospital_day, stack

ROLES = syslog(
    message(participants=(person(role_id_codes=(CodedValue("224608005", "SCT", "Nurse"),)),))
)
DCM = "http://dicom.nema.org/resources/ontology/DCM"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A trail with something for each parameter; tests only read it."""
    with stack(tmp_path_factory.mktemp("fhir")) as made:
        made.add(hospital_day(60))
        made.add([syslog(handwritten("iti-18")), ROLES, QUERY])
        yield made


@pytest.fixture(scope="module")
def client(shared: Stack) -> TestClient:
    return fhir_client(shared)


@pytest.fixture(scope="module")
def everything(client: TestClient) -> list[Json]:
    return [one for one in whole(client, ("_count", "500")) if not is_own(one)]


def test_a_page_is_a_bundle_that_another_model_accepts(client: TestClient) -> None:
    found = bundle(client, ("_count", "20"), ("type", f"{DCM}|110103"))
    Bundle.model_validate(found)
    assert found["type"] == "searchset"
    assert found["total"] == len(whole(client, ("type", "110103")))
    assert len(resources(found)) == min(20, found["total"])
    assert dict(parse_qsl(urlsplit(link(found, "self")).query))["type"] == f"{DCM}|110103"
    for entry in found["entry"]:
        assert entry["fullUrl"] == f"http://testserver/fhir/AuditEvent/{entry['resource']['id']}"


CASES = [
    ("type", "type", "code"),
    ("subtype", "subtype", "code"),
    ("action", "action", ""),
    ("outcome", "outcome", ""),
    ("address", "agent.network.address", ""),
    ("agent.identifier", "agent.who.identifier", "value"),
    ("agent:identifier", "agent.who.identifier", "value"),
    ("agent-name", "agent.name", ""),
    ("agent-role", "agent.role.coding", "code"),
    ("altid", "agent.altId", ""),
    ("entity.identifier", "entity.what.identifier", "value"),
    ("entity-name", "entity.name", ""),
    ("entity-role", "entity.role", "code"),
    ("entity-type", "entity.type", "code"),
    (PATIENT, "patient().identifier", "value"),
    ("patient:identifier", "patient().identifier", "value"),
    ("site", "source.site", ""),
    ("source.identifier", "source.observer.identifier", "value"),
]


def texts(resource: Json, path: str, member: str) -> set[str]:
    values = values_at(resource, path)
    return {str(one[member] if member else one) for one in values if not member or member in one}


@pytest.mark.parametrize(("name", "path", "member"), CASES, ids=[case[0] for case in CASES])
def test_a_parameter_finds_all_that_have_the_value_and_no_others(
    client: TestClient, everything: list[Json], name: str, path: str, member: str
) -> None:
    values = sorted({one for event in everything for one in texts(event, path, member)})
    assert values, "the trail has no such value"
    for value in (values[0], values[len(values) // 2], values[-1]):
        escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|")
        found = [
            one for one in whole(client, (name, escaped), ("_count", "500")) if not is_own(one)
        ]
        is_string = name in {"address", "agent-name", "entity-name"}
        expected = [
            event["id"]
            for event in everything
            if any(
                one == value or (is_string and one.lower().startswith(value.lower()))
                for one in texts(event, path, member)
            )
        ]
        assert ids(found) == expected


def test_a_token_may_name_its_system(client: TestClient, everything: list[Json]) -> None:
    named = [one["id"] for one in everything if one["type"]["code"] == "110112"]
    for asked in (f"{DCM}|110112", "110112"):
        assert [i for i in ids(whole(client, ("type", asked))) if i in named] == named
    assert whole(client, ("type", "urn:other|110112")) == []
    assert whole(client, ("type", "|110112")) == []
    assert len(whole(client, ("type", f"{DCM}|"))) == len(whole(client))


def test_values_are_joined_by_or_and_parameters_by_and(client: TestClient) -> None:
    either = len(whole(client, ("type", "110112,110103")))
    assert either == len(whole(client, ("type", "110112"))) + len(
        whole(client, ("type", "110103"))
    )
    assert whole(client, ("type", "110112"), ("type", "110103")) == []


def test_modifiers(client: TestClient, everything: list[Json]) -> None:
    named = [one["id"] for one in everything if any("name" in a for a in one["agent"])]
    some = next(a["name"] for one in everything for a in one["agent"] if "name" in a)

    def found(name: str, value: str) -> set[str]:
        own = {one["id"] for one in everything}
        return set(ids(whole(client, (name, value), ("_count", "500")))) & own

    assert found("agent-name:missing", "false") == set(named)
    assert found("agent-name:missing", "true") == {one["id"] for one in everything} - set(named)
    assert found("agent-name:exact", some) <= found("agent-name", some.upper())
    assert found("agent-name:exact", some.swapcase()) == set()
    assert found("agent-name:contains", some[1:-1].upper()) >= found("agent-name:exact", some)
    assert found("type:not", "110103") == {
        one["id"] for one in everything if one["type"]["code"] != "110103"
    }
    assert found("action:not", "R") == {one["id"] for one in everything if one["action"] != "R"}
    assert found("type:text", "dicom instances acc") == found("type", "110103")


def test_dates_narrow_the_answer(client: TestClient, everything: list[Json]) -> None:
    times = sorted(one["recorded"] for one in everything)
    middle = times[len(times) // 2]
    prefixes: dict[str, Callable[[str], bool]] = {
        "ge": lambda t: t >= middle,
        "gt": lambda t: t > middle,
        "le": lambda t: t <= middle,
        "lt": lambda t: t < middle,
        "eq": lambda t: t == middle,
        "ne": lambda t: t != middle,
        "sa": lambda t: t > middle,
        "eb": lambda t: t < middle,
    }
    for prefix, holds in prefixes.items():
        found = whole(client, ("date", f"{prefix}{middle}"), ("_count", "500"))
        expected = {one["id"] for one in everything if holds(one["recorded"])}
        assert {one["id"] for one in found if not is_own(one)} == expected, prefix


def test_one_event_by_id_and_by_search(client: TestClient, everything: list[Json]) -> None:
    event = everything[3]
    assert client.get(f"{EVENTS}/{event['id']}").json() == event
    assert whole(client, ("_id", event["id"])) == [event]
    assert whole(client, ("_id", "other-1")) == []
    received = event["meta"]["lastUpdated"]
    assert event in whole(client, ("_lastUpdated", f"ge{received}"), ("_count", "500"))


@pytest.mark.parametrize("posted", [False, True], ids=["GET", "POST"])
@pytest.mark.parametrize("sort", ["date", "-date"])
def test_pages_join_without_gap_or_repetition_while_records_arrive(
    own: Stack, posted: bool, sort: str
) -> None:
    client = fhir_client(own)
    own.add(f"<85>1 - host app - - - not xml {i}".encode() for i in range(7))
    found = bundle(
        client,
        ("_count", "3"),
        ("source.identifier:missing", "true"),
        ("_sort", sort),
        posted=posted,
    )
    seen = ids(resources(found))
    while following := link(found, "next"):
        own.add([f"<85>1 - host app - - - later {following[-30:]}".encode()])
        assert link(found, "next").startswith("http://testserver/fhir/AuditEvent?_page=")
        found = client.get(following).json()
        assert found["total"] == 7
        seen += ids(resources(found))
    assert len(seen) == len(set(seen)) == 7


def test_order_is_newest_first_unless_asked_otherwise(client: TestClient) -> None:
    newest = [one["recorded"] for one in whole(client, ("type", "110103"), ("_count", "9"))]
    oldest = whole(client, ("type", "110103"), ("_sort", "date"), ("_count", "9"))
    assert newest == sorted(newest, reverse=True)
    assert [one["recorded"] for one in oldest] == sorted(newest)


def test_a_page_that_finds_little_ends_and_goes_on(shared: Stack) -> None:
    slow = fhir_client(shared, max_examined=10)
    client = fhir_client(shared)
    asked = (("entity-type", "1"), ("_count", "5"), ("type", "110103,110112"))
    assert ids(whole(slow, *asked)) == ids(whole(client, *asked))


def test_links_of_a_posted_search_name_nobody(client: TestClient, everything: list[Json]) -> None:
    patient = next(
        iter(
            texts(one, "patient().identifier", "value")
            for one in everything
            if texts(one, "patient().identifier", "value")
        )
    )
    value = patient.pop()
    found = bundle(client, (PATIENT, value), ("_count", "1"), posted=True)
    assert resources(found)
    for one in found["link"]:
        assert value not in one["url"]
        again = client.get(one["url"]).json()
        assert again["type"] == "searchset"
    same = client.get(link(found, "self")).json()
    assert ids(resources(same)) == ids(resources(found))


def test_a_link_is_of_its_principal_alone(shared: Stack, client: TestClient) -> None:
    following = link(bundle(client, ("_count", "1")), "next")
    other = shared.state.tokens.create("another", "officer", set(Scope), 3600).secret
    answer = client.get(following, headers={"Authorization": f"Bearer {other}"})
    assert answer.status_code == 400
    for broken in ("x", following[:-4], following + "AAAA", following.replace("=", "=A", 1)):
        refused(client, urlsplit(broken).query or "_page=x")


@pytest.mark.parametrize(
    "asked",
    [
        "type=110103",
        "date=ne2020-01-01",
        "date=yesterday",
        "date=ge2020-13-01",
        "date=ge2020-02-30",
        "date=ge2020-01-01&date:exact=2020",
        "date=ge2020-01-01&type:above=110103",
        "date=ge2020-01-01&type=,",
        "date=ge2020-01-01&type=|",
        "date=ge2020-01-01&_count=many",
        "date=ge2020-01-01&_total=some",
        "date=ge2020-01-01&_summary=short",
        "date=ge2020-01-01&_count=1&_count=2",
        "date=ge2020-01-01&agent-name:missing=perhaps",
        "date=ge2020-01-01&type=" + "x" * 5000,
        "_page=forged",
        "date=ge2020-01-01&type=%ff",
    ],
)
def test_a_bad_search_is_refused_with_an_outcome(client: TestClient, asked: str) -> None:
    refused(client, asked)


def test_both_bounds_are_demanded_where_that_is_set(shared: Stack) -> None:
    client = fhir_client(shared, date_bounds="both")
    refused(client, "date=ge2020-01-01")
    assert client.get(f"{EVENTS}?date=ge2020-01-01&date=le2099").status_code == 200
    assert client.get(f"{EVENTS}?date=2026").status_code == 200


def test_what_is_unknown_is_ignored_loudly_or_refused(client: TestClient) -> None:
    found = bundle(client, ("colour", "red"), ("_sort", "type"), ("_count", "1"))
    last = found["entry"][-1]
    assert last["search"]["mode"] == "outcome"
    assert "colour" in last["resource"]["issue"][0]["diagnostics"]
    assert "colour" not in link(found, "self")
    refused(client, "date=ge2020-01-01&colour=red", Prefer="handling=strict")
    refused(client, "date=ge2020-01-01", Prefer="handling=rough")


def test_totals_and_summaries(client: TestClient, everything: list[Json]) -> None:
    assert "total" not in bundle(client, ("_total", "none"), ("_count", "1"))
    accurate = bundle(client, ("_total", "accurate"), ("_count", "1"), ("type", "110103"))
    expected = sum(one["type"]["code"] == "110103" for one in everything)
    assert accurate["total"] == expected
    assert bundle(client, ("_total", "estimate"), ("type", "110103"))["total"] == expected
    for asked in (("_summary", "count"), ("_count", "0")):
        counted = bundle(client, asked, ("type", "110103"))
        assert counted["total"] == expected
        assert "entry" not in counted


@pytest.mark.parametrize(
    ("asked", "kept", "gone"),
    [
        (("_summary", "true"), "entity", "period"),
        (("_summary", "text"), "agent", "entity"),
        (("_elements", "outcome"), "outcome", "entity"),
    ],
)
def test_parts_of_resources_are_marked_as_such(
    client: TestClient, asked: tuple[str, str], kept: str, gone: str
) -> None:
    found = bundle(client, asked, ("type", "110103"), ("_count", "3"))
    Bundle.model_validate(found)
    for one in resources(found):
        assert kept in one
        assert gone not in one
        assert one["meta"]["tag"][0]["code"] == "SUBSETTED"
        assert {"type", "recorded", "agent", "source"} <= set(one)
    assert "tag" not in resources(bundle(client, ("_summary", "data")))[0]["meta"]


def test_too_many_to_count_is_said(shared: Stack) -> None:
    client = fhir_client(shared, max_counted=3)
    found = bundle(client, ("entity-type", "1"), ("_count", "1"), ("_total", "accurate"))
    assert "total" not in found
    assert "too many" in found["entry"][-1]["resource"]["issue"][0]["diagnostics"]
    refused(client, "date=ge2020-01-01&entity-type=1&_summary=count")


@pytest.mark.parametrize(
    ("accept", "format_", "status"),
    [
        ("application/fhir+json", "", 200),
        ("application/json;q=0.5, application/fhir+xml", "", 200),
        ("*/*", "", 200),
        ("application/fhir+xml", "", 406),
        ("text/html", "", 406),
        ("application/fhir+xml", "json", 200),
        ("*/*", "xml", 406),
        ("*/*", "application/fhir+json", 200),
    ],
)
def test_answers_are_json(client: TestClient, accept: str, format_: str, status: int) -> None:
    asked = (
        f"date=ge2020-01-01&_count=1&_format={format_}"
        if format_
        else "date=ge2020-01-01&_count=1"
    )
    answer = client.get(f"{EVENTS}?{asked}", headers={"Accept": accept})
    assert answer.status_code == status
    kind = answer.json()["resourceType"]
    assert kind == ("Bundle" if status == 200 else "OperationOutcome")


def test_a_readable_answer_says_the_same(client: TestClient, everything: list[Json]) -> None:
    path = f"{EVENTS}/{everything[0]['id']}"
    readable = client.get(f"{path}?_pretty=true")
    assert b"\n  " in readable.content
    assert readable.json() == client.get(path).json()


def test_without_the_right_to_identify_patients_are_pseudonyms(
    shared: Stack, everything: list[Json]
) -> None:
    client = fhir_client(shared, Scope.EVENTS_READ)
    known = {v for one in everything for v in texts(one, "patient().identifier", "value")}
    shown = whole(client, ("type", "110103"), ("_count", "500"))
    Bundle.model_validate(bundle(client, ("type", "110103"), ("_count", "500")))
    told = {v for one in shown for v in texts(one, "patient().identifier", "value")}
    assert told
    assert not told & known
    pseudonym = min(told)
    assert whole(client, (PATIENT, pseudonym), ("_count", "500"))
    refused(client, f"date=ge2020-01-01&{PATIENT}={min(known)}", 403)
    assert client.get(f"{EVENTS}/{shown[0]['id']}").json() in shown
