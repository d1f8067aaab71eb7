"""What the standard allows, though it looks odd, is not found fault with; its neighbour is."""

import pytest

from audit.record.assess import assess
from tests.conformance.corpus import changed, example
from tests.conformance.json_cases import QUERY

PERSON = (
    '<ActiveParticipant UserID="smith@reading.example" UserName="Smith" UserIsRequestor="{}">\n'
    '<RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>\n'
    "</ActiveParticipant>\n<AuditSourceIdentification "
)
ONE_DESCRIPTION = '<Accession Number="A1"/>\n<SOPClass '
TWO_DESCRIPTIONS = (
    '<Accession Number="A1"/>\n</ParticipantObjectDescription>\n'
    "<ParticipantObjectDescription>\n<SOPClass "
)
SOP_CLASS = '<SOPClass UID="1.2.840.10008.5.1.4.1.1.2" NumberOfInstances="300"/>\n'
OTHER_OBJECT = (
    "</ParticipantObjectIdentification>\n<ParticipantObjectIdentification "
    'ParticipantObjectID="1.2.840.10008.5.1.4.1.2.2.2" ParticipantObjectTypeCode="2" '
    'ParticipantObjectTypeCodeRole="16"><ParticipantObjectIDTypeCode csd-code="110181" '
    'codeSystemName="DCM" originalText="SOP Class UID"/><ParticipantObjectName>Study Root'
    "</ParticipantObjectName></ParticipantObjectIdentification>\n</AuditMessage>"
)
LAST = "</ParticipantObjectIdentification>\n</AuditMessage>"
NAME = "<ParticipantObjectName>Security Audit Log</ParticipantObjectName>\n"
ALERT = '"110126" codeSystemName="DCM" originalText="Node Authentication"'
ACCESS_POINT = 'NetworkAccessPointID="ws-17.st-anna.example"'
EVENT_ID = 'originalText="DICOM Instances Accessed"/>\n'
STUDY = 'csd-code="110180" codeSystemName="DCM"'


def access_point(name: str) -> tuple[str, str]:
    return ACCESS_POINT, f'NetworkAccessPointID="{name}"'


ALLOWED = {
    "a third party that asked for it, in a role of another (PS3.17 WW.1)": (
        "110104",
        ("<AuditSourceIdentification ", PERSON.format("true")),
    ),
    "the description of a study in two": ("110103", (ONE_DESCRIPTION, TWO_DESCRIPTIONS)),
    "a SOP class beside the query": ("110112", (LAST, OTHER_OBJECT)),
    "blanks around a code": ("110103", ('csd-code="110103"', 'csd-code=" 110103 "')),
    "blanks around a code of a study": ("110103", (STUDY, STUDY.replace('0"', '0\n"', 1))),
    "an audit log's name over lines": (
        "110101",
        ("Security Audit Log", "\nSecurity\n  Audit Log\n"),
    ),
    "a Windows domain's machine (PS3.17 WW.3)": ("110103", access_point("DOMAIN\\COMPUTER")),
    "a machine whose name isn't DNS's": ("110103", access_point("RÖNTGEN#1")),
    "an access point without its type": ("110103", (' NetworkAccessPointTypeCode="1"', "")),
    "a decision about access": (
        "110113",
        (ALERT, '"110147" codeSystemName="DCM" originalText="Access Control Decision"'),
    ),
}
FAULTS = {
    "a second source that did not ask for it": (
        "110104",
        ("<AuditSourceIdentification ", PERSON.format("false")),
        "event-participant-surplus",
    ),
    "two descriptions without a SOP class": (
        "110103",
        (f'<Accession Number="A1"/>\n{SOP_CLASS}', '<Accession Number="A1"/>\n'),
        "sop-class-missing",
    ),
    "an audit log of another name": (
        "110101",
        ("Security Audit Log", "Security Log"),
        "audit-log-name",
    ),
    "an address for a name": ("110103", access_point("10.0.0.1"), "network-access-point-type"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_nothing_is_said_of_it(name: str) -> None:
    event, change = ALLOWED[name]
    found = assess(changed(example(event, "typical"), change))
    assert [one.rule for one in found.findings] == []
    assert (found.tier, found.verdict) == ("dicom", "valid")


@pytest.mark.parametrize("name", FAULTS)
def test_its_neighbour_is_found(name: str) -> None:
    event, change, rule = FAULTS[name]
    found = assess(changed(example(event, "typical"), change))
    assert [one.rule for one in found.findings] == [rule]


@pytest.mark.parametrize("code", ["RAD-16", "LAB-12", "ADR"])
@pytest.mark.parametrize(
    ("system", "suspends"), [("99LOCAL", False), ("DCM", False), ("2.999.1", True)]
)
def test_a_code_of_another_system_suspends_no_rule_of_the_event(
    code: str, system: str, *, suspends: bool
) -> None:
    """A table may say less of a transaction than A.5.3 of its event: only IHE's own counts."""
    kind = f'<EventTypeCode csd-code="{code}" codeSystemName="{system}" originalText="X"/>'
    broken = changed(
        example("110103", "typical"),
        (EVENT_ID, EVENT_ID + kind),
        ('csd-code="110180"', 'csd-code="110182"'),
    )
    rules = {one.rule for one in assess(broken).findings}
    assert ("ihe-transaction-unknown" in rules) is suspends
    assert ("event-object-missing" in rules) is not suspends


PROFILE = (
    '"meta": {"profile": ["https://profiles.ihe.net/ITI/PDQm/StructureDefinition/'
    'IHE.PDQm.Query.Audit.Consumer"]},'
)
ID = '"id": "example-query",'


def fhir_rules(*changes: tuple[str, str]) -> list[str]:
    return [one.rule for one in assess(changed(QUERY, *changes)).findings]


def test_a_profile_of_fhir_fixes_an_action_but_demands_none() -> None:
    claimed = ((ID, ID + PROFILE), ('"code": "110112"', '"code": "rest"'))
    assert "ihe-action-code" in fhir_rules(*claimed, ('"action": "E"', '"action": "R"'))
    assert "ihe-action-code" not in fhir_rules(*claimed, ('"action": "E",', ""))


def test_roles_that_fhir_defines_anew_are_not_called_deprecated() -> None:
    assert "object-role-deprecated" not in fhir_rules(('"code": "24"', '"code": "4"'))


def test_a_blank_in_an_address_of_fhir_is_told() -> None:
    found = fhir_rules(('"system": "urn:ihe:event-type-code"', '"system": "IHE Transactions"'))
    assert "fhir-value" in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"outcome": "0"', '"outcome": {"code": {"code": "0"}}'),
        ('"altId"', '"userId"'),
        (
            '"address": "192.0.2.17"',
            '"address": "192.0.2.17"}, "networkString": "x", "x": {"y": "z"',
        ),
        ('"observer": {', '"identifier": {'),
    ],
)
def test_another_edition_of_fhir_is_named_and_nothing_else(old: str, new: str) -> None:
    assert fhir_rules((old, new)) == ["fhir-edition"]


def test_an_identifier_that_is_absent_is_not_called_empty_too() -> None:
    absent = changed(example("110103", "typical"), ('UserID="815" ', ""))
    empty = changed(example("110103", "typical"), ('UserID="815"', 'UserID=""'))
    assert [one.rule for one in assess(absent).findings] == ["grammar-attribute-missing"]
    assert [one.rule for one in assess(empty).findings] == ["value-empty"]


def test_a_private_code_extends_the_types_of_an_alert() -> None:
    local = changed(
        example("110113", "typical"),
        (ALERT, '"ASSOCIATION-FAILURE" codeSystemName="99DCM4CHEE" originalText="Failure"'),
    )
    assert assess(local).findings == ()
    other = changed(
        example("110113", "typical"),
        (ALERT, '"110120" codeSystemName="DCM" originalText="Application Start"'),
    )
    assert [one.rule for one in assess(other).findings] == ["event-type-code"]


@pytest.mark.parametrize(
    ("old", "new", "fix"),
    [
        ("UserIsRequestor", "IsRequestor", "Write UserIsRequestor, or remove the attribute."),
        (
            "AuditEnterpriseSiteID",
            "AuditSourceEnterpriseSiteId",
            "Write AuditEnterpriseSiteID, or remove the attribute.",
        ),
        (
            "<ParticipantObjectIdentification ",
            '<ParticipantObjectIdentification ParticipantObjectName="x" ',
            "Write ParticipantObjectName as an element, not as an attribute.",
        ),
        ("AuditEnterpriseSiteID", "Nonsense", "Remove the attribute, or correct its name."),
        (
            "<ParticipantObjectDescription>",
            "<ParticipantObjectQuery>AAAA</ParticipantObjectQuery><ParticipantObjectDescription>",
            "Send ParticipantObjectName or ParticipantObjectQuery, not both, before the details.",
        ),
    ],
)
def test_the_fix_tells_what_was_meant(old: str, new: str, fix: str) -> None:
    broken = assess(changed(example("110103", "typical"), (old, new)))
    assert fix in {one.fix for one in broken.findings}


@pytest.mark.parametrize("event", ["110103", "110104", "110106", "110107", "110111"])
@pytest.mark.parametrize(
    "codes", ['TypeCode="1" ParticipantObjectTypeCodeRole="20"', 'TypeCode="2"']
)
def test_each_study_has_its_type_and_role(event: str, codes: str) -> None:
    """Rows of studies may be optional; what calls itself a study is held to them."""
    study = 'TypeCode="2" ParticipantObjectTypeCodeRole="3">\n<ParticipantObjectIDTypeCode'
    broken = changed(example(event, "typical"), (study, f"{codes}>\n<ParticipantObjectIDTypeCode"))
    assert [one.rule for one in assess(broken).findings] == ["object-type"]
