"""What identifies a patient leaves as a pseudonym, or not at all, wherever it stood."""

from dataclasses import replace

import pytest

from audit.index.criteria import fold
from audit.record.serialise import serialise
from audit.siem.facts import facts_of
from audit.siem.formats import SiemFormat
from audit.siem.values import Facts
from audit.standards.files import read_toml
from tests.projector.messages import message, patient, person, study
from tests.siem.planted import planted_messages
from tests.siem.records import PSEUDONYMS, corpus, formatter, record_of

PLANTED = {name: (made, planted) for name, made, planted in planted_messages()}


@pytest.mark.parametrize("name", PLANTED)
def test_nothing_planted_leaves_in_any_format(name: str) -> None:
    made, planted = PLANTED[name]
    record = record_of(serialise(made))
    assert record.body["verdict"] != "malformed"
    for form in SiemFormat:
        text = formatter(form).message(record).decode().casefold()
        assert [one for one in planted if one.casefold() in text] == []


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_there_to_be_found(name: str) -> None:
    """Else the test above would show nothing."""
    made, planted = PLANTED[name]
    record = record_of(serialise(made))
    text = formatter(SiemFormat.ECS, patients=True).line(record).decode()
    assert len([one for one in planted if one in text]) > len(planted) // 2


def test_identifiers_in_the_wrong_place_do_not_leave() -> None:
    ill_placed = message(
        participants=(
            person("portal-P48003", user_name="Jane Doe", network_access_point_id="ws-p48003"),
            person("x", user_name="Doe, Jane"),
        ),
        objects=(study("1.2.840.99.7"), patient("P48003", "Doe^Jane")),
        node="node of 1.2.840.99.7 and 1.2.276.0.7230010.3.1.2.17",
    )
    record = record_of(serialise(ill_placed))
    for form in SiemFormat:
        text = formatter(form).message(record).decode().casefold()
        for hidden in ("p48003", "jane", "1.2.840.99.7", "7230010"):
            assert hidden not in text, (form, hidden)
        assert PSEUDONYMS.of("patient", "p48003") in text


def test_a_short_identifier_inside_a_uid_leaves_no_rest_of_it() -> None:
    told = message(
        participants=(person("x", network_access_point_id="ws-12"),),
        objects=(patient("12", "Doe^Jane"),),
        node="stores 1.2.276.12.7230010.3.1.12.17. Also of 12",
    )
    text = formatter(SiemFormat.ECS).line(record_of(serialise(told))).decode()
    assert "7230010" not in text
    assert "276" not in text
    assert PSEUDONYMS.of("study", "1.2.276.12.7230010.3.1.12.17") in text
    assert f"also of {PSEUDONYMS.of('patient', '12')}" in text


def test_hidden_staff_are_hidden_wherever_they_stand() -> None:
    told = message(
        participants=(
            person("nowakb", user_name="Barbara Nowak", network_access_point_id="ws-nowakb"),
        ),
        objects=(),
        node="Reading room of Barbara Nowak",
    )
    record = record_of(serialise(told))
    for form in SiemFormat:
        assert "nowakb" in formatter(form).message(record).decode()
        text = formatter(form, staff=False).message(record).decode().casefold()
        assert "nowak" not in text, form
        assert PSEUDONYMS.of("user", "barbara nowak") in text


def test_of_very_many_values_only_those_are_looked_at_that_are_told() -> None:
    told = message(
        participants=tuple(person(f"user-{n}", user_name=f"User {n}") for n in range(50)),
        objects=tuple(patient(f"P-{n}", f"Doe^Jane{n}") for n in range(50)),
    )
    discloser = formatter(SiemFormat.ECS).discloser
    facts = discloser.facts(record_of(serialise(told)), 3)
    assert {len(values) for values in facts.values()} <= {1, 2, 3}
    assert facts["users"] == ("user-0", "user-1", "user-2")


def test_a_query_and_a_patient_have_the_same_pseudonym() -> None:
    facts = shown("110112 full")
    (name,) = [one for one in facts["query"] if str(one).startswith("PatientName")]
    assert name == "PatientName=" + PSEUDONYMS.of("name", fold("SMITH*"))


def shown(name: str, **disclosure: bool) -> Facts:
    return formatter(SiemFormat.ECS, **disclosure).discloser.facts(corpus()[name])


def test_users_are_shown_or_hidden_by_setting() -> None:
    assert shown("110114 full")["requestor_name"] == ("Nowak^Barbara",)
    for patients in (False, True):
        facts = shown("110114 full", staff=False, patients=patients)
        assert str(facts["requestor_name"][0]).startswith("user-")
        made = formatter(SiemFormat.ECS, staff=False, patients=patients)
        assert b"owak" not in made.line(corpus()["110114 full"])


def test_all_is_shown_when_it_may_be() -> None:
    facts = shown("110106 full", patients=True)
    assert facts["patients"] == ("4711", "4712")
    assert facts["reason"] == ("2 of 300 objects were refused <cause & effect>",)
    assert "details" in shown("110101 full", patients=True)
    assert "details" not in shown("110101 full")


def test_long_values_have_pseudonyms_too() -> None:
    made = formatter(SiemFormat.ECS).discloser
    for length in (256, 257, 100_000):
        value = "X" * length
        assert made.pseudonym("patient", value) == PSEUDONYMS.of("patient", value.lower())
    assert made._remembered.cache_info().currsize == 1


def test_machines_and_addresses_stay() -> None:
    facts = shown("110113 typical")
    assert facts["subject_ip"] == ("10.9.9.9",)
    assert facts["node"] == ("pacs-1",)


def test_every_fact_is_declared() -> None:
    declared = read_toml("siem/facts.toml")["fact"]
    for record in corpus().values():
        assert set(facts_of(record)[0]) <= set(declared)
    used = {
        name
        for table in ("siem/ecs.toml", "siem/ocsf.toml")
        for row in read_toml(table)["fields"].values()
        for name in row.rstrip("[]#@").split(" | ")
    }
    assert used - {"message"} <= set(declared)


def test_codes_that_are_none_are_hidden() -> None:
    made, _ = PLANTED["110114 minimal"]
    code = replace(made.event_identification.event_id, csd_code="Jane Doe, ward 7")
    odd = replace(made, event_identification=replace(made.event_identification, event_id=code))
    for form in SiemFormat:
        assert b"Jane" not in formatter(form).message(record_of(serialise(odd)))
