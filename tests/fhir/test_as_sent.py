"""AuditEvents of others: given as they came, and never so that a reader breaks on them."""

from typing import Any

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from hypothesis import given
from hypothesis import strategies as st

from audit.fhir.as_sent import as_sent
from audit.fhir.values import Json
from audit.record import fhir_grammar
from tests.conformance.json_cases import QUERY
from tests.fhir.samples import as_fhir
from tests.properties import examples

EVENT: Json = orjson.loads(QUERY)


def told(**changes: Any) -> Json:
    resource = as_fhir(orjson.dumps(EVENT | changes))
    AuditEvent.model_validate(resource)
    return resource


def extensions(*sent: Any) -> Any:
    return told(extension=list(sent)).get("extension", [])


def test_what_fhir_has_and_dicom_lacks_is_kept() -> None:
    agent = EVENT["agent"][0] | {
        "policy": ["urn:policy:1"],
        "location": {"reference": "Location/7"},
        "purposeOfUse": [{"text": "treatment"}],
    }
    assert told(agent=[agent])["agent"] == [agent]
    period = {"start": "2026-03-01", "end": "2026-03-01T10:00:00Z"}
    assert told(period=period)["period"] == period


def test_profiles_narrative_and_unknown_members_are_left_out() -> None:
    resource = told(
        meta={"profile": ["https://example.org/p"], "versionId": "7"},
        text={"status": "generated", "div": "<div>x</div>"},
        language="de",
        colour="red",
    )
    assert set(resource["meta"]) == {"lastUpdated"}
    assert not {"text", "language", "colour"} & set(resource)


@pytest.mark.parametrize(
    "part",
    [
        {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
        {"implicitRules": "urn:rules"},
        {"contained": [{"resourceType": "Patient"}]},
    ],
)
def test_what_changes_the_meaning_is_told_by_the_mapping(part: Json) -> None:
    assert as_sent(orjson.dumps(EVENT | part)) is None
    resource = told(**part)
    assert not set(part) & set(resource)
    assert resource["entity"][0]["what"]["identifier"]["value"] == "P48003"


def test_sound_extensions_are_kept() -> None:
    simple = [
        {"url": "urn:a", "valueString": "x"},
        {"url": "urn:b", "valueBoolean": False},
        {"url": "urn:c", "valueInteger": 7},
        {"url": "urn:d", "valueCoding": {"code": "x"}},
        {"url": "urn:e", "extension": [{"url": "f", "valueCode": "y"}]},
    ]
    assert extensions(*simple) == simple


@pytest.mark.parametrize(
    "sent",
    [
        7,
        {},
        {"url": ""},
        {"url": "a b", "valueString": "x"},
        {"url": "urn:a"},
        {"url": "urn:a", "valueString": "x", "valueCode": "y"},
        {"url": "urn:a", "valueString": " "},
        {"url": "urn:a", "valueInteger": True},
        {"url": "urn:a", "valueInteger": 2**40},
        {"url": "urn:a", "valueCoding": {"code": 7}},
        {"url": "urn:a", "valueCoding": {}},
        {"url": "urn:a", "valueAddress": {"city": "x"}},
        {"url": "urn:a", "extension": [{"url": "urn:b"}]},
        {"url": "urn:a", "extension": 7},
    ],
)
def test_other_extensions_are_left_out(sent: Any) -> None:
    assert extensions(sent) == []


@pytest.mark.parametrize(
    "period",
    [{"start": "yesterday"}, {"start": "2026-13"}, {"start": "2026-03-01T10:00:00"}],
)
def test_what_is_no_time_is_left_out(period: Json) -> None:
    assert told(period=period).get("period", {}) != period


def test_codes_of_fixed_sets_and_addresses_are_checked() -> None:
    entity = {"what": {"identifier": {"use": "mine", "value": "x", "system": "not a uri"}}}
    assert told(entity=[entity])["entity"] == [{"what": {"identifier": {"value": "x"}}}]


def test_an_implausible_time_moves_to_the_period() -> None:
    resource = told(recorded="2001-01-01T00:00:00Z")
    assert resource["recorded"] == "2026-05-28T20:26:40Z"
    assert resource["period"]["start"] == "2001-01-01T00:00:00Z"
    kept = told(recorded="2001-01-01T00:00:00Z", period={"start": "2000"})
    assert kept["period"] == {"start": "2000"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["url", "valueString", "extension", "coding", "code", "value", "start"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@examples(20)
@given(st.sampled_from(sorted(fhir_grammar.elements("AuditEvent"))), VALUES)
def test_whatever_is_sent_the_answer_is_sound(name: str, value: Any) -> None:
    if name != "resourceType":
        told(**{name: value})


@examples(20)
@given(
    st.sampled_from(["agent", "source", "entity"]),
    st.sampled_from(
        ["who", "what", "observer", "extension", "network", "detail", "type", "policy"]
    ),
    VALUES,
)
def test_whatever_is_sent_inside_the_answer_is_sound(part: str, name: str, value: Any) -> None:
    whole = EVENT[part]
    changed = [whole[0] | {name: value}] if isinstance(whole, list) else whole | {name: value}
    told(**{part: changed})
