from dataclasses import replace

from audit.record.event_rules import judge_event, judge_fhir_event
from audit.record.object_rules import judge_objects
from audit.standards.event_table import dicom_events
from tests.conformance.corpus import EXAMPLES


def test_a_wrong_life_cycle_is_found_where_an_event_fixes_it() -> None:
    message = EXAMPLES["110103"]["minimal"]
    row = dicom_events()["110103"]
    study = replace(row.objects[0], life_cycles=("6",))
    fixed = replace(row, objects=(study, row.objects[1]))
    assert [one.rule for one in judge_objects(message, fixed, "event")] == ["object-life-cycle"]
    assert list(judge_objects(message, row, "event")) == []


def test_the_role_of_a_query_is_dicom_s_in_its_messages_and_ihe_s_in_fhir() -> None:
    message = EXAMPLES["110112"]["minimal"]
    (asked,) = message.participant_objects
    asked = replace(asked, participant_object_type_code_role="24")
    message = replace(message, participant_objects=(asked,))
    assert [one.rule for one in judge_event(message)] == ["object-role"]
    assert judge_fhir_event(message, ()) == []
