import re

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from audit.record.assess import assess
from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
    SOPClass,
)
from audit.record.parse import parse
from audit.record.serialise import serialise
from tests.properties import examples

ANY = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r<>&\"'"),
    max_size=12,
)
MAYBE = st.none() | ANY
TOKEN = ANY.map(lambda text: " ".join(filter(None, re.split("[ \t\r\n]+", text))))
CODES = st.builds(CodedValue, TOKEN, TOKEN, TOKEN, MAYBE)
PURE_CODES = st.builds(CodedValue, TOKEN) | st.builds(
    CodedValue, TOKEN, TOKEN.filter(bool), TOKEN.filter(bool)
)


def many(
    strategy: st.SearchStrategy[object], least: int = 0
) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, min_size=least, max_size=2).map(tuple)


DESCRIPTIONS = st.builds(
    ParticipantObjectDescription,
    mpps=many(ANY),
    accessions=many(ANY),
    sop_classes=many(
        st.builds(SOPClass, uid=MAYBE, number_of_instances=MAYBE, instances=many(ANY))
    ),
    contains_study=st.none() | many(ANY),
    encrypted=MAYBE,
    anonymized=MAYBE,
)
MESSAGES = st.builds(
    AuditMessage,
    event_identification=st.builds(
        EventIdentification,
        event_id=CODES,
        event_date_time=ANY,
        event_outcome_indicator=ANY,
        event_action_code=MAYBE,
        event_type_codes=many(CODES),
        event_outcome_description=MAYBE,
        purposes_of_use=many(CODES),
    ),
    active_participants=many(
        st.builds(
            ActiveParticipant,
            user_id=ANY,
            user_is_requestor=st.booleans(),
            alternative_user_id=MAYBE,
            user_name=MAYBE,
            role_id_codes=many(CODES),
            network_access_point_id=MAYBE,
            network_access_point_type_code=MAYBE,
            media_type=st.none() | CODES,
        ),
        1,
    ),
    audit_sources=many(
        st.builds(
            AuditSource,
            audit_source_id=ANY,
            audit_enterprise_site_id=MAYBE,
            audit_source_type_codes=many(PURE_CODES),
        ),
        1,
    ),
    participant_objects=many(
        st.builds(
            ParticipantObject,
            participant_object_id=ANY,
            participant_object_id_type_code=CODES,
            participant_object_type_code=MAYBE,
            participant_object_type_code_role=MAYBE,
            participant_object_data_life_cycle=MAYBE,
            participant_object_sensitivity=MAYBE,
            participant_object_name=MAYBE,
            participant_object_query=MAYBE,
            participant_object_details=many(st.builds(ParticipantObjectDetail, ANY, ANY)),
            participant_object_descriptions=many(DESCRIPTIONS),
        )
    ),
)


@examples(20)
@given(MESSAGES)
def test_parsing_what_was_serialised_gives_the_same_message(message: AuditMessage) -> None:
    octets = serialise(message)
    assert parse(octets) == message
    assert serialise(parse(octets)) == octets
    assert assess(octets).message == message


@given(st.text(max_size=20))
def test_text_that_xml_can_not_hold_never_keeps_a_message_from_being_written(text: str) -> None:
    message = AuditMessage(
        event_identification=EventIdentification(
            event_id=CodedValue("1", "2", "3"),
            event_date_time="t",
            event_outcome_indicator="0",
        ),
        active_participants=(ActiveParticipant(user_id=text + "\x00\ud800"),),
        audit_sources=(AuditSource(audit_source_id="a"),),
    )
    root = etree.fromstring(serialise(message))
    shown = root.find("ActiveParticipant")
    assert shown is not None
    assert shown.get("UserID", "").endswith("\ufffd\ufffd")


def test_the_form_of_what_is_written() -> None:
    message = AuditMessage(
        event_identification=EventIdentification(
            event_id=CodedValue("1", "2", "3"),
            event_date_time="t",
            event_outcome_indicator="0",
        ),
        active_participants=(ActiveParticipant(user_id='a"<&>\n'),),
        audit_sources=(AuditSource(audit_source_id="s"),),
    )
    assert serialise(message) == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<AuditMessage><EventIdentification EventDateTime="t" EventOutcomeIndicator="0">'
        b'<EventID csd-code="1" codeSystemName="2" originalText="3"/></EventIdentification>'
        b'<ActiveParticipant UserID="a&quot;&lt;&amp;&gt;&#10;" UserIsRequestor="false"/>'
        b'<AuditSourceIdentification AuditSourceID="s"/></AuditMessage>'
    )
