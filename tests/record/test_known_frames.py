"""An object told by its frame is the object that the parser and the grammar would have given."""

from base64 import b64encode
from unittest.mock import patch
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record import assess as assessing
from audit.record import known_parts
from audit.record.assess import Assessment, assess
from audit.record.known_frames import object_in_frame
from tests.properties import examples

_HEAD = (
    b"<AuditMessage>"
    b'<EventIdentification EventActionCode="R" EventDateTime="2026-03-01T09:30:01Z" '
    b'EventOutcomeIndicator="0">'
    b'<EventID csd-code="110103" codeSystemName="DCM" originalText="DICOM Instances Accessed"/>'
    b"</EventIdentification>"
    b'<ActiveParticipant UserID="jdoe" UserIsRequestor="true"/>'
    b'<AuditSourceIdentification AuditSourceID="pacs-1"/>'
)
_QUERY_HEAD = (
    b"<AuditMessage>"
    b'<EventIdentification EventActionCode="E" EventDateTime="2026-03-01T09:30:01Z" '
    b'EventOutcomeIndicator="0">'
    b'<EventID csd-code="110112" codeSystemName="DCM" originalText="Query"/>'
    b"</EventIdentification>"
    b'<ActiveParticipant UserID="ws-17" UserIsRequestor="true">'
    b'<RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>'
    b"</ActiveParticipant>"
    b'<ActiveParticipant UserID="pacs" UserIsRequestor="false">'
    b'<RoleIDCode csd-code="110152" codeSystemName="DCM" originalText="Destination Role ID"/>'
    b"</ActiveParticipant>"
    b'<AuditSourceIdentification AuditSourceID="pacs-1"/>'
)
_TAG = b"<ParticipantObjectIdentification"
_PATIENT = (
    b' ParticipantObjectID="{id}" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1">'
    b'<ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" '
    b'originalText="Patient Number"/>'
    b"<ParticipantObjectName>{name}</ParticipantObjectName></ParticipantObjectIdentification>"
)
_STUDY = (
    b' ParticipantObjectTypeCode="2" ParticipantObjectID="{uid}" '
    b'ParticipantObjectTypeCodeRole="3">\n'
    b'<ParticipantObjectIDTypeCode csd-code="110180" codeSystemName="DCM" '
    b'originalText="Study Instance UID"/>\n<ParticipantObjectName>{name}</ParticipantObjectName>'
    b"<ParticipantObjectDescription>\n"
    b'<MPPS UID="{mpps}"/>\n<Accession Number="{first}"/><Accession Number="{second}"/>'
    b'<SOPClass UID="1.2.840.10008.5.1.4.1.1.2" NumberOfInstances="{number}"/>'
    b'<SOPClass NumberOfInstances="{other}"/><ParticipantObjectContainsStudy>'
    b'<StudyIDs UID="{study}"/></ParticipantObjectContainsStudy>'
    b"</ParticipantObjectDescription></ParticipantObjectIdentification>"
)
_QUERY = (
    b' ParticipantObjectID="1.2.840.10008.5.1.4.1.2.2.1" ParticipantObjectTypeCode="2" '
    b'ParticipantObjectTypeCodeRole="3">'
    b'<ParticipantObjectIDTypeCode csd-code="110181" codeSystemName="DCM" '
    b'originalText="SOP Class UID"/><ParticipantObjectQuery>{query}</ParticipantObjectQuery>'
    b'<ParticipantObjectDetail type="TransferSyntax" value="MS4yLjg0MC4xMDAwOC4xLjI="/>'
    b"</ParticipantObjectIdentification>"
)


def _patient_id(value: str) -> bytes:
    octets = bytes.fromhex("10002000") + len(value).to_bytes(4, "little") + value.encode("ascii")
    return b64encode(octets)


USUAL: dict[bytes, dict[str, bytes]] = {
    _PATIENT: {"id": b"4711^^^&amp;2.999.1&amp;ISO", "name": "Öz^Can O'Neill".encode()},
    _STUDY: {
        "uid": b"2.999.4.1",
        "name": b"CT head",
        "mpps": b"2.999.5.1",
        "first": b"A1",
        "second": b"A2",
        "number": b"300",
        "other": b"0",
        "study": b"2.999.7",
    },
    _QUERY: {"query": _patient_id("4711")},
}
OTHER: dict[bytes, dict[str, bytes]] = {
    _PATIENT: {"id": b"0815", "name": b"Doe^Jane > Roe"},
    _STUDY: {
        "uid": b"2.999.4.2",
        "name": b"MR &amp; CT",
        "mpps": b"2.999.5.77",
        "first": b"B &amp; C",
        "second": b"-",
        "number": b"2",
        "other": b"12",
        "study": b"2.999.8.1",
    },
    _QUERY: {"query": _patient_id("60246650")},
}


def filled(frame: bytes, values: dict[str, bytes]) -> bytes:
    for name, value in values.items():
        frame = frame.replace(b"{%b}" % name.encode(), value)
    return frame


def whole(octets: bytes) -> bytes:
    """A message with that object, and the patient or study that its event demands beside it."""
    if b"SOP Class UID" in octets:
        return _QUERY_HEAD + _TAG + octets + b"</AuditMessage>"
    beside = _STUDY if b"Patient Number" in octets else _PATIENT
    return _HEAD + _TAG + octets + _TAG + filled(beside, USUAL[beside]) + b"</AuditMessage>"


def assess_afresh(octets: bytes) -> Assessment:
    with patch.object(assessing, "cut_up", return_value=None):
        return assess(octets)


@pytest.fixture(autouse=True)
def _frames_are_known() -> None:
    # Twice: what no rule is known to be silent about is judged at length, and then in parts.
    for frame, values in USUAL.items():
        assess(whole(filled(frame, values)))
        known_parts._objects.__init__()  # type: ignore[misc]  # forget the octets, not the frame
        assess(whole(filled(frame, values)))


@pytest.mark.interpreted
@pytest.mark.parametrize("frame", USUAL, ids=["patient", "study", "query"])
def test_another_object_in_a_known_frame_needs_no_parser(frame: bytes) -> None:
    octets = filled(frame, OTHER[frame])
    found = object_in_frame(octets)
    assert found is not None
    expected = assess_afresh(whole(octets)).message
    assert expected is not None
    assert found[0] == expected.participant_objects[0]
    with patch.object(known_parts, "read_part", side_effect=AssertionError("was parsed")):
        assert assess(whole(octets)) == assess_afresh(whole(octets))


_ODD = (
    *(b"", b" ", b"\t", b"&lt;", b"&#13;", b"&#0;", b"&no;", b"&", b"&amp;", b"&amp;#0;", b"<"),
    *(
        b">",
        b"]]>",
        b"<!---->",
        b"<?p ?>",
        b"<x/>",
        b"\xff",
        b"\xc0\x80",
        b"x" * 1100,
        b"'",
        b"\0",
    ),
    *(b'"', b'" a="', b'"/><x y="', b"</ParticipantObjectName><ParticipantObjectName>", b"none"),
    *(
        b"1.2.3",
        b"01.2",
        b"+5",
        b"-1",
        "٣".encode(),
        b"1e3",
        b"QQ=",
        b"QQ==",
        b"QR==",
        b"QUJD QUJD",
    ),
    *(b"EncapsulatedDocument", b"Patient", "\ufffe".encode(), "\u2028".encode(), b"2.999.9"),
)
_VALUES = st.one_of(
    st.sampled_from(_ODD),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(st.characters(codec="utf-8"), max_size=20).map(
        lambda text: escape(text, {'"': "&quot;"}).encode()
    ),
    st.binary(max_size=12).map(b64encode),
)


@examples(80)
@given(st.data(), _VALUES)
def test_whatever_stands_in_a_known_frame_gets_the_same_answer(
    data: st.DataObject, value: bytes
) -> None:
    frame = data.draw(st.sampled_from(list(USUAL)))
    name = data.draw(st.sampled_from(list(USUAL[frame])))
    octets = whole(filled(frame, USUAL[frame] | {name: value}))
    expected = assess_afresh(octets)
    assert assess(octets) == expected
    assert assess(octets) == expected


def test_a_frame_with_apostrophes_is_not_learned() -> None:
    frame = _PATIENT.replace(b'csd-code="2"', b"csd-code='2'")
    octets = filled(frame, USUAL[_PATIENT])
    assess(whole(octets))
    assert object_in_frame(octets) is None


def test_a_name_that_an_event_demands_is_judged() -> None:
    octets = filled(_PATIENT, OTHER[_PATIENT] | {"name": b"Security Audit Log"})
    assert object_in_frame(octets) is None
    assert assess(whole(octets)) == assess_afresh(whole(octets))


def test_instances_are_left_to_the_parser() -> None:
    frame = _STUDY.replace(
        b'NumberOfInstances="{number}"/>',
        b'NumberOfInstances="{number}"><Instance UID="2.999.6.1"/></SOPClass>',
    )
    assess(whole(filled(frame, USUAL[_STUDY])))
    octets = filled(frame, OTHER[_STUDY])
    assert object_in_frame(octets) is None
    assert assess(whole(octets)) == assess_afresh(whole(octets))
