"""Any single mutation that breaks a mandatory constraint is found, where it was made."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from audit.record.assess import Assessment, assess
from audit.record.location import path_of
from audit.record.xml_tree import Element
from tests.conformance.corpus import EXAMPLES, SIZES, example
from tests.properties import examples

_CODE = ("csd-code", "codeSystemName", "originalText")
MANDATORY = {
    "EventIdentification": ("EventDateTime", "EventOutcomeIndicator"),
    "EventID": _CODE,
    "EventTypeCode": _CODE,
    "ActiveParticipant": ("UserID", "UserIsRequestor"),
    "RoleIDCode": _CODE,
    "MediaType": _CODE,
    "AuditSourceIdentification": ("AuditSourceID",),
    "AuditSourceTypeCode": ("csd-code",),
    "ParticipantObjectIdentification": ("ParticipantObjectID",),
    "ParticipantObjectIDTypeCode": _CODE,
    "ParticipantObjectDetail": ("type", "value"),
    "MPPS": ("UID",),
    "Accession": ("Number",),
    "SOPClass": ("NumberOfInstances",),
    "Instance": ("UID",),
    "StudyIDs": ("UID",),
}
ONCE = {
    "EventIdentification", "EventID", "EventOutcomeDescription", "MediaIdentifier", "MediaType",
    "AuditSourceIdentification", "ParticipantObjectIDTypeCode", "ParticipantObjectName",
    "ParticipantObjectQuery", "ParticipantObjectContainsStudy", "Encrypted", "Anonymized",
}  # fmt: skip
NEEDED = {
    "EventIdentification", "EventID", "MediaType", "AuditSourceIdentification",
    "ParticipantObjectIDTypeCode",
}  # fmt: skip
WRONG = {
    "EventActionCode": "X",
    "EventDateTime": "yesterday",
    "EventOutcomeIndicator": "1",
    "UserIsRequestor": "yes",
    "NetworkAccessPointTypeCode": "6",
    "ParticipantObjectTypeCode": "5",
    "ParticipantObjectTypeCodeRole": "27",
    "ParticipantObjectDataLifeCycle": "16",
    "NumberOfInstances": "many",
    "value": "*",
}
WITH_TEXT = {"EventOutcomeDescription", "ParticipantObjectName", "ParticipantObjectQuery"}
MESSAGES = [example(event, size) for event in EXAMPLES for size in SIZES]

trees = st.sampled_from(MESSAGES).map(etree.fromstring)
data = st.data()


def judged(root: Element) -> Assessment:
    return assess(etree.tostring(root, encoding="utf-8"))


def drawn(
    choices: st.DataObject, root: Element, wanted: Callable[[Element], bool]
) -> Element | None:
    """An element of the message that is wanted; None when there is none."""
    found = [one for one in root.iter() if wanted(one)]
    return choices.draw(st.sampled_from(found)) if found else None


def paths(told: Assessment) -> set[str]:
    return {one.path for one in told.findings if one.severity == "error"}


@examples(30)
@given(trees, data)
def test_a_mandatory_attribute_that_is_left_out_or_misspelt(
    root: Element, choices: st.DataObject
) -> None:
    element = drawn(choices, root, lambda one: one.tag in MANDATORY)
    assert element is not None
    name = choices.draw(st.sampled_from(MANDATORY[str(element.tag)]))
    path = path_of(element)
    value = element.attrib.pop(name, None)
    if value is None:
        return
    if choices.draw(st.booleans()):
        element.set(f"{name}s", str(value))
    told = judged(root)
    assert told.findings
    assert told.tier in {"legacy", "none"}
    assert any(one.path.startswith(path) for one in told.findings)
    lenient = element.tag == "SOPClass" or name in {"codeSystemName", "originalText"}
    if not lenient and name != "ParticipantObjectID":
        assert (told.verdict, told.tier) == ("invalid", "none")
        assert f"{path}/@{name}" in paths(told)


@examples(20)
@given(trees, data)
def test_a_value_that_the_grammar_does_not_know(root: Element, choices: st.DataObject) -> None:
    element = drawn(choices, root, lambda one: bool(WRONG.keys() & one.attrib.keys()))
    assert element is not None
    named = sorted(WRONG.keys() & {str(name) for name in element.attrib})
    name = choices.draw(st.sampled_from(named))
    element.set(name, WRONG[name])
    told = judged(root)
    assert (told.verdict, told.tier) == ("invalid", "none")
    assert f"{path_of(element)}/@{name}" in paths(told)


@examples(20)
@given(trees, data)
def test_an_element_or_text_in_the_wrong_place(root: Element, choices: st.DataObject) -> None:
    element = drawn(choices, root, lambda one: one.tag not in WITH_TEXT)
    assert element is not None
    if choices.draw(st.booleans()):
        element.append(etree.Element("Unknown"))
    else:
        element.text = f"words{element.text or ''}"
    told = judged(root)
    assert (told.verdict, told.tier) == ("invalid", "none")
    assert any(one.startswith(path_of(element)) for one in paths(told))


@examples(20)
@given(trees, data)
def test_an_element_that_is_needed_or_stands_twice(root: Element, choices: st.DataObject) -> None:
    tags = choices.draw(st.sampled_from([NEEDED, ONCE]))
    element = drawn(choices, root, lambda one: one.tag in tags)
    assert element is not None
    parent = element.getparent()
    assert parent is not None
    if tags is NEEDED:
        parent.remove(element)
    else:
        element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))
    told = judged(root)
    assert told.findings
    assert told.tier in {"legacy", "none"}
    if tags is NEEDED or element.tag != "AuditSourceIdentification":
        assert (told.verdict, told.tier) == ("invalid", "none")
        assert any(one.startswith(path_of(parent)) for one in paths(told))


@examples(20)
@given(trees, data)
def test_parts_in_another_order(root: Element, choices: st.DataObject) -> None:
    element = drawn(
        choices, root, lambda one: len({child.tag for child in one}) > 1 and one.tag != "Instance"
    )
    assert element is not None
    element.insert(0, element[-1])
    told = judged(root)
    assert (told.verdict, told.tier) == ("invalid", "none")
    assert any(one.startswith(path_of(element)) for one in paths(told))
