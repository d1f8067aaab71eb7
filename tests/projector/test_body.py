import json
from base64 import b64encode

import pytest

from audit.projector.body import object_body, readable_detail
from audit.projector.parts import parts_of
from audit.record.audit_message import (
    CodedValue,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
    SOPClass,
)
from tests.projector.messages import DESTINATION_MEDIA, message, person, study


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"1.2.3", "1.2.3"),
        ("Größe\nzwei".encode(), "Größe\nzwei"),
        (b"\x00\x01", None),
        (b"\xff\xfe", None),
        (b"", ""),
    ],
)
def test_a_detail_is_shown_as_text_when_it_is_text(octets: bytes, shown: str | None) -> None:
    sent = b64encode(octets).decode()
    assert readable_detail(ParticipantObjectDetail("t", sent)) == (
        sent if shown is None else shown
    )


def test_a_detail_that_is_no_base64_is_shown_as_sent() -> None:
    assert readable_detail(ParticipantObjectDetail("t", "a value!")) == "a value!"


@pytest.mark.parametrize(
    ("count", "shown"), [("7", 7), (None, None), ("many", None), ("9" * 40, None)]
)
def test_counts(count: str | None, shown: int | None) -> None:
    description = ParticipantObjectDescription(
        sop_classes=(SOPClass(uid=None, number_of_instances=count),)
    )
    body = object_body(study(participant_object_descriptions=(description,)), ())
    assert body["sop_classes"] == [{"uid": None, "instances": shown}]


def test_the_whole_message_as_json() -> None:
    medium = person(
        role_id_codes=(DESTINATION_MEDIA,), media_type=CodedValue("110032", "DCM", "CD")
    )
    one = message(participants=(medium,))
    body = parts_of(one).body()
    assert json.loads(json.dumps(body)) == body
    assert body["participants"][0]["media"] == {"code": "110032", "system": "DCM", "text": "CD"}
    assert body["event"]["date_time"] == one.event_identification.event_date_time
    assert body["sources"] == [{"id": "viewer-3", "site": "radiology", "types": []}]
    assert body["event"]["id"]["text"] == "DICOM Instances Accessed"


def test_decoded_query_keys_are_shown_with_their_object() -> None:
    assert object_body(study(), (("PatientID", "P1"),))["query"] == [["PatientID", "P1"]]
