"""Merges told by Patient Record events become links."""

from base64 import b64encode

import pytest

from audit.query.merges import MergeOptions, learn_merges
from audit.state.aliases import Name
from tests.projector.messages import NOW
from tests.query.trail import Trail


def patient_record(
    action: str, patient: str, control_id: str, node: str = "pix", outcome: str = "0"
) -> bytes:
    value = b64encode(control_id.encode()).decode()
    return (
        '<85>1 - h a - IHE+RFC-3881 - <?xml version="1.0"?><AuditMessage><EventIdentification '
        f'EventActionCode="{action}" EventOutcomeIndicator="{outcome}" '
        'EventDateTime="2026-05-28T20:26:40Z">'
        '<EventID csd-code="110110" codeSystemName="DCM" originalText="Patient Record"/>'
        '<EventTypeCode csd-code="ITI-8" codeSystemName="IHE Transactions" originalText="Feed"/>'
        '</EventIdentification><ActiveParticipant UserID="adt" UserIsRequestor="true"/>'
        f'<AuditSourceIdentification AuditSourceID="{node}"/><ParticipantObjectIdentification '
        f'ParticipantObjectID="{patient}^^^&amp;1.2&amp;ISO" ParticipantObjectTypeCode="1" '
        'ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode csd-code="2" '
        'codeSystemName="RFC-3881" originalText="Patient Number"/>'
        f'<ParticipantObjectDetail type="MSH-10" value="{value}"/>'
        "</ParticipantObjectIdentification></AuditMessage>"
    ).encode()


def filled(trail: Trail, *raws: bytes) -> Trail:
    for number, raw in enumerate(raws):
        trail.take(raw, at=NOW + number)
    trail.follow()
    return trail


def test_deleted_and_updated_by_one_message_are_one_patient(trail: Trail) -> None:
    filled(trail, patient_record("D", "OLD", "m-17"), patient_record("U", "NEW", "m-17"))
    learned = learn_merges(trail.index, 0)
    assert {frozenset(link.names) for link in learned.links} == {
        frozenset({Name("OLD", "1.2"), Name("NEW", "1.2")})
    }
    assert "-0" in learned.links[0].evidence
    assert "-1" in learned.links[0].evidence
    assert learned.position == trail.index.position()


def test_a_partner_looked_at_before_is_found(trail: Trail) -> None:
    filled(trail, patient_record("D", "OLD", "m-17"))
    position = learn_merges(trail.index, 0).position
    filled(trail, patient_record("U", "NEW", "m-17"))
    assert len(learn_merges(trail.index, position).links) == 1
    assert learn_merges(trail.index, trail.index.position()).links == ()


@pytest.mark.parametrize(
    "other",
    [
        patient_record("U", "NEW", "m-18"),
        patient_record("D", "NEW", "m-17"),
        patient_record("R", "NEW", "m-17"),
        patient_record("U", "NEW", "m-17", node="another"),
        patient_record("U", "NEW", "m-17", outcome="8"),
        patient_record("U", "NEW", "???"),
    ],
    ids=["message", "both-deleted", "read", "node", "failed", "wordless"],
)
def test_what_is_no_merge_links_nobody(trail: Trail, other: bytes) -> None:
    filled(trail, patient_record("D", "OLD", "m-17"), other)
    assert learn_merges(trail.index, 0).links == ()


def test_many_events_are_looked_at_step_by_step(trail: Trail) -> None:
    raws = [patient_record(action, f"{action}{n}", f"m-{n}") for n in range(10) for action in "DU"]
    filled(trail, *raws)
    position, names = 0, set()
    for _ in range(20):
        learned = learn_merges(trail.index, position, MergeOptions(most=5))
        assert learned.position > position
        names |= {frozenset(link.names) for link in learned.links}
        position = learned.position
        if position == trail.index.position():
            break
    assert len(names) == 10


@pytest.mark.parametrize(
    ("identifier", "assigner"),
    [
        ("P1", ""),
        ("P1^^^", ""),
        ("P1^^^HOSP", "HOSP"),
        ("P1^^^HOSP&1.2.3&ISO", "1.2.3"),
        ("P1^^^&1.2.3&ISO^MR", "1.2.3"),
    ],
)
def test_the_assigner_of_an_identifier(trail: Trail, identifier: str, assigner: str) -> None:
    escaped = identifier.replace("&", "&amp;").encode()
    old = patient_record("D", "OLD", "m-17").replace(b"OLD^^^&amp;1.2&amp;ISO", escaped)
    filled(trail, old, patient_record("U", "NEW", "m-17"))
    (names,) = {
        link.names
        for link in learn_merges(trail.index, 0).links
        if link.names[0].identifier == "P1"
    }
    assert names[0] == Name("P1", assigner)


def object_xml(identifier: str, *details: tuple[str, str]) -> str:
    told = "".join(
        f'<ParticipantObjectDetail type="{kind}" value="{b64encode(value.encode()).decode()}"/>'
        for kind, value in details
    )
    return (
        f'<ParticipantObjectIdentification ParticipantObjectID="{identifier}" '
        'ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1">'
        '<ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" '
        f'originalText="Patient Number"/>{told}</ParticipantObjectIdentification>'
    )


def with_objects(transaction: str, action: str, *objects: str) -> bytes:
    """A Patient Record event of that transaction with these patients in place of its own."""
    raw = patient_record(action, "X", "m-17").decode().replace("ITI-8", transaction)
    begin = raw.index("<ParticipantObjectIdentification")
    return (raw[:begin] + "".join(objects) + "</AuditMessage>").encode()


def names_linked(trail: Trail) -> set[frozenset[str]]:
    return {
        frozenset(name.identifier for name in link.names)
        for link in learn_merges(trail.index, 0).links
    }


PART = "urn:ihe:iti:xpid:2017:patientIdentifierType"


def test_a_merge_of_hl7_v3_is_told_by_the_id_of_its_message(trail: Trail) -> None:
    v3 = [
        patient_record(action, patient, "m-17")
        .replace(b"MSH-10", b"II")
        .replace(b"ITI-8", b"ITI-44")
        for action, patient in (("D", "OLD"), ("U", "NEW"))
    ]
    filled(trail, *v3)
    assert names_linked(trail) == {frozenset({"OLD", "NEW"})}


def test_ids_of_messages_that_come_again_later_are_of_others(trail: Trail) -> None:
    later = patient_record("U", "NEW", "m-17").replace(b"20:26:40Z", b"20:31:41Z")
    filled(trail, patient_record("D", "OLD", "m-17"), later)
    assert names_linked(trail) == set()
    wider = MergeOptions(window_ns=302_000_000_000)
    assert len(learn_merges(trail.index, 0, wider).links) == 1


def test_one_that_was_deleted_beside_two_that_were_updated_is_nobodys(trail: Trail) -> None:
    filled(
        trail,
        patient_record("D", "OLD", "m-17"),
        patient_record("U", "NEW", "m-17"),
        patient_record("U", "OTHER", "m-17"),
    )
    assert names_linked(trail) == set()


def test_two_merged_into_one_by_one_message(trail: Trail) -> None:
    filled(
        trail,
        patient_record("D", "OLD", "m-17"),
        patient_record("D", "OLDER", "m-17"),
        patient_record("U", "NEW", "m-17"),
    )
    assert names_linked(trail) == {frozenset({"OLD", "NEW"}), frozenset({"OLDER", "NEW"})}


@pytest.mark.parametrize("part", ["subsumedPatientId", "subsumedLocalPatientId"])
def test_a_change_of_links_tells_what_was_subsumed_and_nothing_else(
    trail: Trail, part: str
) -> None:
    objects = [
        object_xml(identifier, ("MSH-10", "m-17"), (PART, value))
        for identifier, value in (
            ("L1^^^&amp;1.2&amp;ISO", "localPatientId"),
            ("L2^^^&amp;1.2&amp;ISO", part),
            ("X1^^^&amp;9.9&amp;ISO", "newPatientId"),
            ("X0^^^&amp;9.9&amp;ISO", "previousPatientId"),
        )
    ]
    filled(trail, with_objects("ITI-64", "U", *objects))
    assert names_linked(trail) == {frozenset({"L1", "L2"})}


def test_a_change_of_links_without_a_merge_links_nobody(trail: Trail) -> None:
    objects = [
        object_xml(identifier, ("MSH-10", "m-17"), (PART, value))
        for identifier, value in (
            ("L1", "localPatientId"),
            ("X1", "newPatientId"),
            ("X0", "previousPatientId"),
        )
    ]
    filled(trail, with_objects("ITI-64", "U", *objects))
    assert names_linked(trail) == set()


@pytest.mark.parametrize(
    ("transaction", "action"), [("ITI-10", "R"), ("ITI-10", "U"), ("ITI-46", "R")]
)
def test_a_notification_lists_the_identifiers_of_one_patient(
    trail: Trail, transaction: str, action: str
) -> None:
    kind = "II" if transaction == "ITI-46" else "MSH-10"
    filled(
        trail,
        with_objects(
            transaction,
            action,
            object_xml("P1^^^&amp;1.2&amp;ISO", (kind, "m-17")),
            object_xml("Q7^^^&amp;3.4&amp;ISO", (kind, "m-17")),
        ),
    )
    assert names_linked(trail) == {frozenset({"P1", "Q7"})}


def test_a_notification_may_list_them_as_repetitions(trail: Trail) -> None:
    both = object_xml("P1^^^&amp;1.2&amp;ISO~Q7^^^&amp;3.4&amp;ISO", ("MSH-10", "m-17"))
    filled(trail, with_objects("ITI-10", "U", both))
    (link,) = learn_merges(trail.index, 0).links
    assert link.names == (Name("P1", "1.2"), Name("Q7", "3.4"))


def test_other_events_with_several_patients_link_nobody(trail: Trail) -> None:
    two = (object_xml("P1", ("MSH-10", "m-17")), object_xml("Q7", ("MSH-10", "m-17")))
    filled(trail, with_objects("ITI-30", "U", *two), with_objects("ITI-9", "R", *two))
    failed = with_objects("ITI-10", "U", *two).replace(b'Indicator="0"', b'Indicator="8"')
    several = with_objects(
        "ITI-10", "U", object_xml("P1", ("MSH-10", "m-1")), object_xml("Q7", ("MSH-10", "m-2"))
    )
    filled(trail, failed, several)
    assert names_linked(trail) == set()


@pytest.mark.parametrize("most", [1, 100])
def test_two_deleted_before_are_linked_once_each(trail: Trail, most: int) -> None:
    filled(trail, patient_record("D", "OLD", "m-17"), patient_record("D", "OLDER", "m-17"))
    position = learn_merges(trail.index, 0).position
    filled(trail, patient_record("U", "NEW", "m-17"))
    learned = learn_merges(trail.index, position, MergeOptions(most=most))
    assert sorted(sorted(name.identifier for name in link.names) for link in learned.links) == [
        ["NEW", "OLD"],
        ["NEW", "OLDER"],
    ]
