"""Older editions and known senders put into today's words, before rules run.

The tree is changed in place; the octets as sent stay in the journal. Each change is a finding.

Source: RFC 3881; DICOM PS3.15 A.5.1 of 2011 to 2016c; docs/divergences.md.
"""

from base64 import b64encode
from collections.abc import Iterable

from lxml import etree

from audit.record.findings import Finding, finding
from audit.record.location import local_name, path_of
from audit.record.xml_tree import Element

_ENOUGH = 100
_ENOUGH_FOREIGN = 20
"""A path costs a look at all siblings, and of the foreign ones there may be thousands."""
_SHOWN = 300
_CODED = (
    "EventID",
    "EventTypeCode",
    "RoleIDCode",
    "MediaType",
    "ParticipantObjectIDTypeCode",
    "PurposeOfUse",
)
_DESCRIBED = (
    "MPPS",
    "Accession",
    "SOPClass",
    "ParticipantObjectContainsStudy",
    "Encrypted",
    "Anonymized",
)


def strip_foreign(root: Element) -> list[Finding]:
    """Remove attributes and elements of other namespaces (PS3.15 A.5.1 allows extensions).

    A message whose own elements are in a namespace is taken out of it, with an error.
    """
    found: list[Finding] = []
    own = _namespace(root)
    if own:
        _note(found, "wrong-namespace", f"AuditMessage is in the namespace {own!r:.200}", root)
    for element in list(root.iter()):
        _strip_element(element, own, found)
    return found


def _namespace(element: Element) -> str:
    tag = str(element.tag)
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _strip_element(element: Element, own: str, found: list[Finding]) -> None:
    parent = element.getparent()
    space = _namespace(element)
    if space and space != own and parent is not None:
        _note_foreign(found, "foreign-element", f"{local_name(element)} of {space}", element)
        parent.remove(element)
        return
    if space:
        element.tag = local_name(element)
    for name in [str(name) for name in element.attrib if str(name).startswith("{")]:
        _note_foreign(found, "foreign-attribute", _worded(name), element)
        del element.attrib[name]


def _worded(name: str) -> str:
    space, _, local = name[1:].partition("}")
    return f"{local} of {space}"


def _note_foreign(found: list[Finding], rule: str, said: str, element: Element) -> None:
    if len(found) < _ENOUGH_FOREIGN:
        _note(found, rule, said[:_SHOWN], element)


def _note(found: list[Finding], rule: str, said: str, element: Element) -> None:
    """Add a finding, unless there are more than anyone reads: a path costs a look at siblings."""
    if len(found) < _ENOUGH:
        line = element.sourceline or 0
        found.append(finding(rule, said, path=path_of(element), line=line))


def normalise(root: Element, *, rfc3881: bool) -> list[Finding]:
    """Put a message of the legacy tier into today's words; what was done or noticed.

    Args:
        root: an AuditMessage, changed in place.
        rfc3881: whether it is of the rfc3881 dialect, where UserIsRequestor may be absent.
    """
    found: list[Finding] = []
    for source in root.iterchildren("AuditSourceIdentification"):
        _source(source, found)
    for participant in root.iterchildren("ActiveParticipant"):
        _participant(participant, found, rfc3881=rfc3881)
    for element in list(root.iterchildren("ParticipantObjectIdentification")):
        _object(element, found)
    for element in root.iter(*_CODED):
        _coded(element, found)
    sources = root.findall("AuditSourceIdentification")
    if len(sources) > 1:
        _note(found, "legacy-audit-sources", f"{len(sources)} audit sources", sources[1])
    return found


def _rename(element: Element, old: str, new: str) -> bool:
    value = element.get(old)
    if value is None or element.get(new) is not None:
        return False
    element.set(new, value)
    del element.attrib[old]
    return True


def _coded(element: Element, found: list[Finding]) -> None:
    name = local_name(element)
    if _rename(element, "code", "csd-code"):
        _note(found, "legacy-code", f"{name} is written with code=", element)
    if element.get("codeSystem") is not None:
        _rename(element, "codeSystem", "codeSystemName")
        element.attrib.pop("codeSystem", None)
        _note(found, "legacy-code-system", f"{name} carries codeSystem", element)
    if element.get("originalText") is None and element.get("displayName") is not None:
        element.set("originalText", element.get("displayName", ""))
        _note(found, "legacy-display-name", f"{name} has displayName only", element)
    missing = [part for part in ("codeSystemName", "originalText") if element.get(part) is None]
    if missing and element.get("csd-code") is not None:
        said = f"{name} has no {' and no '.join(missing)}"
        _note(found, "legacy-code-incomplete", said, element)


def _source(source: Element, found: list[Finding]) -> None:
    if source.get("code") is not None or source.get("csd-code") is not None:
        _hoist_source_code(source)
        _note(found, "legacy-audit-source-code", "the audit source carries a code", source)
    for kind in source.iterchildren("AuditSourceTypeCode"):
        text = (kind.text or "").strip()
        is_old = _rename(kind, "code", "csd-code")
        if text and kind.get("csd-code") is None:
            kind.set("csd-code", text)
            kind.text = None
            is_old = True
        if kind.attrib.pop("codeSystem", None) is not None:
            is_old = True
        if is_old:
            _note(
                found,
                "legacy-audit-source-type",
                "AuditSourceTypeCode is written with code=, as text, or with codeSystem",
                kind,
            )


def _hoist_source_code(source: Element) -> None:
    kind = etree.Element("AuditSourceTypeCode")
    for old, new in (
        ("code", "csd-code"),
        ("csd-code", "csd-code"),
        ("codeSystemName", "codeSystemName"),
        ("originalText", "originalText"),
        ("displayName", "displayName"),
    ):
        value = source.attrib.pop(old, None)
        if value is not None:
            kind.set(new, value)
    source.attrib.pop("codeSystem", None)
    source.insert(0, kind)


def _participant(participant: Element, found: list[Finding], *, rfc3881: bool) -> None:
    if _drop_user_type(participant):
        _note(
            found,
            "legacy-user-type",
            "ActiveParticipant has UserIDTypeCode or UserTypeCode",
            participant,
        )
    if rfc3881 and participant.get("UserIsRequestor") is None:
        participant.set("UserIsRequestor", "true")
        _note(found, "legacy-requestor", "no UserIsRequestor: taken for true", participant)
    media = participant.find("MediaType") if len(participant) else None
    if media is not None:
        _note(found, "legacy-media-type", "MediaType without MediaIdentifier", media)
        _wrap([media], "MediaIdentifier")


def _drop_user_type(participant: Element) -> bool:
    old = participant.findall("UserIDTypeCode") if len(participant) else []
    for element in old:
        participant.remove(element)
    if participant.get("UserTypeCode") is None:
        return bool(old)
    del participant.attrib["UserTypeCode"]
    return True


def _wrap(elements: Iterable[Element], name: str) -> None:
    wrapper: Element | None = None
    for element in elements:
        if wrapper is None:
            wrapper = etree.Element(name)
            element.addprevious(wrapper)
        wrapper.append(element)


def _as_detail(told: Element, text: str) -> None:
    """Keep a description in words as a detail, for today's description holds none."""
    told.tag = "ParticipantObjectDetail"
    told.text = None
    told.set("type", "ParticipantObjectDescription")
    told.set("value", b64encode(text.encode()).decode("ascii"))


def _object(element: Element, found: list[Finding]) -> None:
    if element.get("ParticipantObjectID") is None:
        _note(found, "legacy-object-id", "no ParticipantObjectID", element)
    if _rename(element, "ParticipantObjectSensistity", "ParticipantObjectSensitivity"):
        _note(found, "legacy-sensitivity", "spelt ParticipantObjectSensistity", element)
    for one in element.iter("SOPClass"):
        if one.get("NumberOfInstances") is None:
            said = "SOPClass without NumberOfInstances"
            _note(found, "legacy-number-of-instances", said, one)
    for told in element.findall("ParticipantObjectDescription"):
        if len(told) == 0 and (text := (told.text or "").strip()):
            _note(found, "legacy-description", "a description is written as text", told)
            _as_detail(told, text)
    bare = [child for child in element if child.tag in _DESCRIBED]
    if bare:
        _note(found, "legacy-description", f"{local_name(bare[0])} stands bare", bare[0])
        _wrap(bare, "ParticipantObjectDescription")
