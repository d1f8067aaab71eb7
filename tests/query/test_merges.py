"""Merges told by Patient Record events become links."""

from base64 import b64encode

import pytest

from audit.query.merges import assigner_of, learn_merges
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
        learned = learn_merges(trail.index, position, most=5)
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
def test_the_assigner_of_an_identifier(identifier: str, assigner: str) -> None:
    assert assigner_of(identifier) == assigner
