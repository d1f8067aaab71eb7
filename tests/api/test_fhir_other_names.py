"""ITI-81: patients and people are asked for by all their identifiers, unless told otherwise."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.query.access import Scope
from audit.state.aliases import Link, Name
from tests.api.fhir_client import (
    EVENTS,
    PATIENT,
    bundle,
    fhir_client,
    is_own,
    refused,
    resources,
    whole,
)
from tests.projector.messages import message, patient, person, syslog
from tests.web.stack import Stack, stack


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    with stack(tmp_path) as made:
        for text in ("P1^^^&1.1&ISO", "Q7^^^&2.2&ISO", "Q7^^^&9.9&ISO"):
            made.add([syslog(message(objects=(patient(text),)))])
        made.add([syslog(message(participants=(person("mv7"),)))])
        names = (Name("P1", "1.1"), Name("Q7", "2.2"))
        made.state.aliases.link("patient", [Link(names)], by="m", source="csv")
        people = (Name("mvoss@example.org"), Name("mv7"))
        made.state.aliases.link("person", [Link(people)], by="m", source="csv")
        yield made


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        (PATIENT, "P1", 2),
        (PATIENT, "urn:oid:1.1|P1", 2),
        (PATIENT, "urn:oid:9.9|P1", 0),
        (PATIENT, "Q7", 3),
        ("patient:identifier", "P1", 2),
        ("agent.identifier", "mv7", 4),
    ],
)
def test_by_all_identifiers(own: Stack, name: str, value: str, found: int) -> None:
    client = fhir_client(own)
    told = bundle(client, (name, value))
    assert len([one for one in resources(told) if not is_own(one)]) == found


def test_the_answer_and_the_record_say_so(own: Stack) -> None:
    told = bundle(fhir_client(own), (PATIENT, "P1"))
    said = [one for one in told["entry"] if one["search"]["mode"] == "outcome"]
    assert "1 other identifiers were asked for too, by version 2" in str(said)
    assert any(b64encode(b"version 2, 1 other names") in raw for raw in own.own_records())


def test_by_the_one_that_is_named(own: Stack) -> None:
    client = fhir_client(own)
    told = bundle(client, (PATIENT, "P1"), ("arr-identities", "false"))
    assert len(resources(told)) == 1
    assert "other identifiers" not in str(told)
    refused(client, "date=ge2020-01-01&arr-identities=perhaps")


def test_pages_go_by_all_identifiers(own: Stack) -> None:
    assert len(whole(fhir_client(own), (PATIENT, "P1"), ("_count", "1"))) == 2


def test_who_sees_pseudonyms_learns_of_no_other(own: Stack) -> None:
    client = fhir_client(own, Scope.EVENTS_READ)
    answer = client.get(f"{EVENTS}?date=ge2020-01-01&{PATIENT}=P1")
    assert "other identifiers" not in answer.text
    assert b"other names" not in b"".join(own.own_records())
