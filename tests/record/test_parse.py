import pytest

from audit.errors import MalformedMessage
from audit.record.parse import parse
from tests.conformance.corpus import EXAMPLES, SIZES, changed, example, handwritten


@pytest.mark.parametrize("event", sorted(EXAMPLES))
@pytest.mark.parametrize("size", SIZES)
def test_a_built_message_is_parsed_to_itself(event: str, size: str) -> None:
    assert parse(example(event, size)) == EXAMPLES[event][size]


def test_the_rfc_3881_dialect_is_put_into_todays_words() -> None:
    message = parse(handwritten("rfc3881"))
    event = message.event_identification
    assert (event.event_id.csd_code, event.event_id.original_text) == ("110112", "Query")
    assert [one.user_is_requestor for one in message.active_participants] == [True, True]
    assert message.audit_sources[0].audit_source_type_codes[0].csd_code == "1"
    kinds = [one.participant_object_id_type_code for one in message.participant_objects]
    assert [kind.csd_code for kind in kinds] == ["2", "ITI-18"]
    assert kinds[1].code_system_name == "IHE Transactions"


def test_a_message_by_another_schema_is_put_into_todays_words() -> None:
    message = parse(handwritten("another-schema"))
    media = message.active_participants[1].media_type
    assert media is not None
    assert media.csd_code == "110032"
    assert message.audit_sources[0].audit_source_type_codes[0].csd_code == "4"
    (description,) = message.participant_objects[0].participant_object_descriptions
    assert description.accessions == ("A1",)
    assert description.sop_classes[0].number_of_instances is None
    (empty,) = message.participant_objects[1].participant_object_descriptions
    assert empty.contains_study == ()


def test_a_code_on_the_audit_source_becomes_its_type() -> None:
    (source,) = parse(handwritten("openhim-like")).audit_sources
    (kind,) = source.audit_source_type_codes
    assert (kind.csd_code, kind.code_system_name, kind.original_text) == ("3", "RFC-3881", "web")


def test_extensions_are_left_out_and_do_not_shadow_what_is_ours() -> None:
    octets = changed(
        example("110108"),
        (
            "<AuditSource",
            '<v:note xmlns:v="urn:vendor"><ActiveParticipant UserID="x"/></v:note><AuditSource',
        ),
        ("UserID=", 'v:id="7" xmlns:v="urn:vendor" UserID='),
    )
    assert parse(octets) == EXAMPLES["110108"]["typical"]


def test_what_no_grammar_knows_is_passed_over() -> None:
    octets = changed(
        example("110103", "full"),
        ("</ParticipantObjectDescription>", "<Other/></ParticipantObjectDescription>"),
        ("</ParticipantObjectIdentification>", "<Other/></ParticipantObjectIdentification>"),
        ("</EventIdentification>", "<Other/></EventIdentification><Other/>"),
    )
    assert parse(octets) == EXAMPLES["110103"]["full"]


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "no content"),
        (b"text", "begins with"),
        (b"<a>", "Premature end"),
        (b"<!DOCTYPE a><a/>", "DOCTYPE"),
        (b"<html/>", "not AuditMessage"),
    ],
)
def test_what_is_no_audit_message_is_malformed(octets: bytes, words: str) -> None:
    with pytest.raises(MalformedMessage, match=words):
        parse(octets)


def test_a_fault_has_line_and_column() -> None:
    with pytest.raises(MalformedMessage) as fault:
        parse(b"<a>\n <b></a>")
    assert (fault.value.line, fault.value.column) == (2, 9)


def test_very_long_codes_are_not_remembered() -> None:
    for number in range(3):
        text = f"{number}" * 1000
        octets = changed(
            example("110108"), ('originalText="Network Entry"', f'originalText="{text}"')
        )
        assert parse(octets).event_identification.event_id.original_text == text
