import pytest

from audit.projector.field_values import FieldValues
from audit.projector.participants import add_participant, destination_kind
from audit.record.audit_message import ActiveParticipant, CodedValue
from tests.projector.messages import DESTINATION, DESTINATION_MEDIA, SOURCE, person


def gathered(*participants: ActiveParticipant) -> dict[str, tuple[str, ...]]:
    values = FieldValues(100, 100, 1000)
    for participant in participants:
        add_participant(values, participant)
    return values.fields()


def test_a_person_by_every_name() -> None:
    nurse = person(
        "H\\mvoss",
        alternative_user_id="mvoss@h.example",
        user_name="mv<mvoss@idp.example>",
        role_id_codes=(CodedValue("224535009", "SCT", "Registered nurse"),),
        network_access_point_id=" ws-12 ",
    )
    assert gathered(nurse) == {
        "user": (
            "H\\mvoss",
            "mvoss@h.example",
            "mvoss@H",
            "mvoss",
            "mvoss@idp.example",
            "mv",
        ),
        "user_name": ("mv<mvoss@idp.example>",),
        "requestor": ("mvoss@idp.example",),
        "role": ("224535009", "Registered nurse"),
        "address": ("ws-12",),
    }


def test_processes_in_their_roles() -> None:
    source = ActiveParticipant(
        user_id="4711", alternative_user_id="AETITLES=CT1;CT2", role_id_codes=(SOURCE,)
    )
    goal = ActiveParticipant(
        user_id="4712", alternative_user_id="AETITLE=ARC", role_id_codes=(DESTINATION,)
    )
    found = gathered(source, goal)
    assert found["source"] == ("4711",)
    assert found["destination"] == ("4712",)
    assert found["ae"] == ("CT1", "CT2", "ARC")
    assert "requestor" not in found
    assert "role" not in found


def test_a_medium_is_no_user() -> None:
    medium = ActiveParticipant(
        user_id="CD of ward 3",
        role_id_codes=(DESTINATION_MEDIA,),
        media_type=CodedValue("110032", "DCM", "CD"),
    )
    assert gathered(medium) == {"object": ("CD of ward 3",), "media": ("110032", "CD")}


@pytest.mark.parametrize(
    ("user_id", "titles", "address", "kind"),
    [
        ("4711", "AETITLES=ARCHIVE1", None, "archive"),
        ("4711", "AETITLES=MAINPACS", None, ""),
        ("4711", "AETITLES=PACS_2", None, "archive"),
        ("4711", "AETITLES=WS3", None, "viewer"),
        ("viewer-process", "", None, "viewer"),
        ("review", "", None, ""),
        ("4711", "AETITLES=TELERADIOLOGY", None, "outside"),
        ("4711", "AETITLES=ARCHIVE", "8.8.8.8", "outside"),
        ("4711", "AETITLES=SITE-B", "10.1.1.1", "archive"),
        ("4711", "", "10.9.9.9", "viewer"),
    ],
)
def test_what_a_destination_is(user_id: str, titles: str, address: str | None, kind: str) -> None:
    known = {"site-b": "archive", "10.9.9.9": "viewer"}
    participant = ActiveParticipant(
        user_id=user_id, alternative_user_id=titles, network_access_point_id=address
    )
    assert destination_kind(participant, known) == kind
