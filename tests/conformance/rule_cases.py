"""For every rule a message that breaks it, and where; the message before the change does not.

``line`` is given by a text that stands in that line of the broken message.
"""

from dataclasses import dataclass

from tests.conformance.corpus import changed, example, handwritten

_ROOT = "/AuditMessage"
_EVENT = f"{_ROOT}/EventIdentification"
_OBJECT = f"{_ROOT}/ParticipantObjectIdentification"
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"'


@dataclass(frozen=True)
class RuleCase:
    """One broken message.

    Attributes:
        rule: the rule that must be found.
        whole: a message that doesn't break it.
        replaced: what is sent instead; empty when ``changes`` tell it.
        verdict: expected of the broken one.
        tier: expected of the broken one.
        path: where the finding must point; empty is not checked.
        line_with: a text that stands in the line the finding must name; empty is not checked.
        changes: texts of the whole message and what stands there in the broken one.
    """

    rule: str
    whole: bytes
    replaced: bytes = b""
    verdict: str = "invalid"
    tier: str = "dicom"
    path: str = ""
    line_with: str = ""
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def broken(self) -> bytes:
        """The message that breaks the rule."""
        return changed(self.whole, *self.changes) if self.changes else self.replaced


def _case(
    rule: str,
    whole: bytes,
    *changes: tuple[str, str],
    verdict: str = "invalid",
    tier: str = "dicom",
    path: str = "",
    line_with: str = "",
) -> RuleCase:
    return RuleCase(rule, whole, b"", verdict, tier, path, line_with, changes)


_ACCESS = example("110103")
_START = example("110100", "minimal")
_LOG = example("110101")
_MOVE = example("110104")
_EXPORT = example("110106")
_IMPORT = example("110107")
_ENTRY = example("110108")
_FIND = example("110112", "minimal")
_ALERT = example("110113")
_LOGIN = example("110114")
_FULL = example("110103", "full")
_ITI_18 = handwritten("iti-18")
_ITI_9 = handwritten("iti-9")
_DISCLOSURE = handwritten("disclosure")
_RFC_3881 = handwritten("rfc3881")
_OTHER_SCHEMA = handwritten("another-schema")
_ITI_41 = handwritten("openhim-like")
_MALFORMED = {"verdict": "malformed", "tier": "none"}

XML = [
    RuleCase("message-empty", _ACCESS, b" \n", "malformed", "none"),
    RuleCase("not-xml", _ACCESS, b"audit: nothing", "malformed", "none"),
    _case("xml-not-well-formed", _ACCESS, ('UserID="815"', "UserID=815"), **_MALFORMED,
          line_with="UserID=815"),
    RuleCase("xml-cut-off", _ACCESS, _ACCESS[:-40], "malformed", "none"),
    _case("doctype-refused", _ACCESS, ("<AuditMessage>", "<!DOCTYPE a>\n<AuditMessage>"),
          **_MALFORMED, line_with="<!DOCTYPE"),
    _case("encoding-refused", _ACCESS, ("UTF-8", "UTF-7"), **_MALFORMED),
    _case("xml-too-many-nodes", _ACCESS, ("</AuditMessage>", "<a/>" * 20_001 + "</AuditMessage>"), **_MALFORMED),
    _case("xml-too-deep", _ACCESS, ("</AuditMessage>", "<a>" * 40 + "</a>" * 40 + "</AuditMessage>"),
          **_MALFORMED),
    RuleCase("xml-too-large", _ACCESS, _ACCESS + b" " * (16 * 1024 * 1024), "malformed", "none"),
    RuleCase("encoding-not-utf-8", _ACCESS, _ACCESS.decode().encode("utf-16"), "valid"),
    _case("encoding-conflict", _ACCESS, ("UTF-8", "UTF-16"), verdict="valid"),
    RuleCase("octets-around-xml", _ACCESS, b"\n " + _ACCESS + b"\x00", "valid"),
    _case("foreign-attribute", _ACCESS, ("<AuditMessage>", f"<AuditMessage {_XSI}>"),
          verdict="valid", path=_ROOT, line_with="<AuditMessage"),
    _case("foreign-element", _ACCESS,
          ("</AuditMessage>", '<x:more xmlns:x="urn:x"/>\n</AuditMessage>'),
          verdict="valid", path=f"{_ROOT}/more", line_with="x:more"),
]  # fmt: skip

GRAMMAR = [
    RuleCase("wrong-root", _ACCESS, b"<IHEYr4/>", "invalid", "none", "/IHEYr4"),
    _case("wrong-namespace", _ACCESS, ("<AuditMessage>", '<AuditMessage xmlns="urn:x">'),
          tier="none", path=_ROOT, line_with="<AuditMessage"),
    _case("grammar-element-missing", _START,
          ("</ActiveParticipant>", "</ActiveParticipant><!--"),
          ("</AuditSourceIdentification>", "-->"),
          tier="none", path=_ROOT),
    _case("grammar-element-unexpected", _ACCESS,
          ("<AuditSourceIdentification", "<AuditSource/>\n<AuditSourceIdentification"),
          tier="none", path=f"{_ROOT}/AuditSource", line_with="<AuditSource/>"),
    _case("grammar-attribute-missing", _ACCESS, (' EventOutcomeIndicator="0"', ""),
          tier="none", path=f"{_EVENT}/@EventOutcomeIndicator", line_with="<EventIdent"),
    _case("grammar-attribute-unexpected", _ACCESS, ("AlternativeUserID", "AlternativUserID"),
          tier="none", path=f"{_ROOT}/ActiveParticipant[1]/@AlternativUserID",
          line_with="AlternativUserID"),
    _case("grammar-value", _ACCESS, ('EventOutcomeIndicator="0"', 'EventOutcomeIndicator="1"'),
          tier="none", path=f"{_EVENT}/@EventOutcomeIndicator", line_with="<EventIdent"),
    _case("grammar-text", _ACCESS, ("</EventIdentification>", "text</EventIdentification>"),
          tier="none", path=_EVENT),
    _case("not-base64", _FIND, ("CABSAENT", "C*BSAENT"),
          tier="none", path=f"{_OBJECT}/ParticipantObjectQuery", line_with="C*BSAENT"),
    _case("event-date-time", _ACCESS, ("2026-03-01T", "1 March "),
          tier="none", path=f"{_EVENT}/@EventDateTime", line_with="1 March"),
    _case("user-is-requestor", _ACCESS, ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"'),
          tier="none", path=f"{_ROOT}/ActiveParticipant[1]/@UserIsRequestor", line_with='"TRUE"'),
    _case("audit-source-type-code", _ACCESS,
          ('<AuditSourceTypeCode csd-code="4"', '<AuditSourceTypeCode csd-code="4" codeSystemName="x"'),
          verdict="valid", tier="ihe",
          path=f"{_ROOT}/AuditSourceIdentification/AuditSourceTypeCode",
          line_with='codeSystemName="x"'),
    _case("not-strict", _ACCESS, ("<ParticipantObjectName>CT head</ParticipantObjectName>", ""),
          verdict="valid", tier="ihe", path=f"{_OBJECT}[1]/ParticipantObjectDescription"),
]  # fmt: skip

LEGACY = [
    _case("legacy-code", _ACCESS, ("csd-code", "code"), verdict="valid", tier="legacy",
          path=f"{_EVENT}/EventID", line_with="<EventID"),
    _case("legacy-display-name", _ITI_41, ('originalText="Source"', 'displayName="Source"'),
          verdict="valid", tier="legacy", path=f"{_ROOT}/ActiveParticipant[1]/RoleIDCode",
          line_with='displayName="Source"'),
    _case("legacy-code-system", _ITI_41, ('codeSystemName="IHE Tr', 'codeSystem="IHE Tr'),
          verdict="valid", tier="legacy", path=f"{_EVENT}/EventTypeCode", line_with="codeSystem="),
    _case("legacy-code-incomplete", _ITI_41, (' originalText="Source"', ""),
          verdict="valid", tier="legacy", path=f"{_ROOT}/ActiveParticipant[1]/RoleIDCode",
          line_with='<RoleIDCode csd-code="110153" codeSystemName="DCM"/>'),
    _case("legacy-requestor",
          changed(_RFC_3881, ('http://registry.example/xds"',
                              'http://registry.example/xds" UserIsRequestor="false"')),
          (' UserIsRequestor="false"', ""),
          verdict="valid", tier="legacy", path=f"{_ROOT}/ActiveParticipant[2]",
          line_with='UserID="http://registry'),
    _case("legacy-audit-source-type", _ACCESS,
          ('<AuditSourceTypeCode csd-code="4"/>', "<AuditSourceTypeCode>4</AuditSourceTypeCode>"),
          verdict="valid", tier="legacy",
          path=f"{_ROOT}/AuditSourceIdentification/AuditSourceTypeCode",
          line_with="<AuditSourceTypeCode>"),
    _case("legacy-audit-source-code", _ACCESS,
          ('AuditSourceID="pacs-1"', 'AuditSourceID="pacs-1" code="4"'),
          verdict="valid", tier="legacy", path=f"{_ROOT}/AuditSourceIdentification",
          line_with='code="4"'),
    _case("legacy-audit-sources", _ACCESS,
          ("</AuditSourceIdentification>",
           '</AuditSourceIdentification>\n<AuditSourceIdentification AuditSourceID="b"/>'),
          verdict="valid", tier="legacy", path=f"{_ROOT}/AuditSourceIdentification[2]",
          line_with='AuditSourceID="b"'),
    _case("legacy-description", _ACCESS,
          ("<ParticipantObjectDescription>", ""), ("</ParticipantObjectDescription>", ""),
          verdict="valid", tier="legacy"),
    _case("legacy-media-type", _EXPORT, ("<MediaIdentifier>", ""), ("</MediaIdentifier>", ""),
          verdict="valid", tier="legacy", line_with="<MediaType"),
    _case("legacy-user-type", _ACCESS, ("<ActiveParticipant", '<ActiveParticipant UserTypeCode="1"'),
          verdict="valid", tier="legacy", line_with="UserTypeCode"),
    _case("legacy-number-of-instances", _ACCESS, (' NumberOfInstances="300"', ""),
          verdict="valid", tier="legacy", line_with="<SOPClass"),
    _case("legacy-object-id", _ITI_18,
          (' ParticipantObjectID="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"', ""),
          verdict="valid", tier="legacy", path=f"{_OBJECT}[2]",
          line_with='<ParticipantObjectIdentification ParticipantObjectTypeCode="2"'),
    _case("rfc3881-mixed", _RFC_3881,
          ("</EventIdentification>",
           "<EventOutcomeDescription>x</EventOutcomeDescription></EventIdentification>"),
          verdict="valid", tier="legacy", path=f"{_EVENT}/EventOutcomeDescription",
          line_with="<EventOutcomeDescription>"),
]  # fmt: skip

VALUES = [
    _case("event-date-time-zone", _ACCESS, ("+00:00", ""),
          path=f"{_EVENT}/@EventDateTime", line_with="<EventIdent"),
    _case("leap-second", _ACCESS, (":30:00.000", ":30:60.000"), verdict="valid",
          path=f"{_EVENT}/@EventDateTime", line_with="<EventIdent"),
    _case("event-id-unknown", _ACCESS, ('csd-code="110103"', 'csd-code="X1"'), verdict="valid",
          path=f"{_EVENT}/EventID", line_with="<EventID"),
    _case("code-system-name", _ACCESS,
          ('csd-code="110103" codeSystemName="DCM"', 'csd-code="110103" codeSystemName="DICOM"'),
          verdict="valid", path=f"{_EVENT}/EventID/@codeSystemName", line_with="<EventID"),
    _case("code-system-name", _ACCESS, ('codeSystemName="RFC-3881"', 'codeSystemName="RFC3881"'),
          verdict="valid", line_with='"RFC3881"'),
    _case("code-text", _ACCESS, ('originalText="DICOM Instances Accessed"', 'originalText="Seen"'),
          verdict="valid", path=f"{_EVENT}/EventID/@originalText", line_with="<EventID"),
    _case("uid-malformed", _ACCESS, ('"2.999.4.2"', '"2.999.04.2"'), verdict="valid",
          line_with="2.999.04.2"),
    _case("uid-malformed", _FULL, ('"2.999.6.2"', '"2.999.6.2."'), verdict="valid",
          line_with='"2.999.6.2."'),
    _case("ae-titles", _MOVE, ("AETITLES=CT1", "AETITLE= CT1"), verdict="valid",
          path=f"{_ROOT}/ActiveParticipant[1]/@AlternativeUserID", line_with="AETITLE= "),
    _case("ae-title", _MOVE, ("AETITLES=CT1", "AETITLES=A_TITLE_THAT_IS_TOO_LONG"),
          verdict="valid", path=f"{_ROOT}/ActiveParticipant[1]/@AlternativeUserID",
          line_with="TOO_LONG"),
    _case("network-access-point-type", _MOVE,
          ('NetworkAccessPointTypeCode="2"', 'NetworkAccessPointTypeCode="1"'), verdict="valid",
          path=f"{_ROOT}/ActiveParticipant[2]/@NetworkAccessPointTypeCode"),
    _case("network-access-point-id", _MOVE, (' NetworkAccessPointTypeCode="2"', ""),
          verdict="valid", path=f"{_ROOT}/ActiveParticipant[2]/@NetworkAccessPointID"),
    _case("placeholder", _ACCESS, ('AuditSourceID="pacs-1"', 'AuditSourceID="UNKNOWN"'),
          verdict="valid", path=f"{_ROOT}/AuditSourceIdentification/@AuditSourceID",
          line_with="UNKNOWN"),
    _case("placeholder", _ACCESS, ('"2.999.4.2"', '"1.2.3.4.5.6.7.8.9.10"'), verdict="valid",
          line_with="1.2.3.4.5.6.7.8.9.10"),
    _case("value-empty", _ACCESS, ('UserID="b.nowak@st-anna.example"', 'UserID=""'),
          verdict="valid", path=f"{_ROOT}/ActiveParticipant[1]/@UserID", line_with='UserID=""'),
    _case("object-role-deprecated", _ALERT,
          ('ParticipantObjectTypeCodeRole="13"', 'ParticipantObjectTypeCodeRole="12"'),
          verdict="valid", path=f"{_OBJECT}/@ParticipantObjectTypeCodeRole"),
]  # fmt: skip

EVENTS = [
    _case("requestor-several", _ACCESS, ('UserIsRequestor="false"', 'UserIsRequestor="1"'),
          verdict="valid", path=f"{_ROOT}/ActiveParticipant[2]/@UserIsRequestor"),
    _case("requestor-exactly-one", _EXPORT, ('UserIsRequestor="true"', 'UserIsRequestor="0"')),
    _case("requestor-exactly-one", _IMPORT, ('UserIsRequestor="true"', 'UserIsRequestor="0"')),
    _case("event-action-code", _ACCESS, ('EventActionCode="C"', 'EventActionCode="E"'),
          path=f"{_EVENT}/@EventActionCode", line_with="<EventIdent"),
    _case("event-type-code-missing", _LOGIN, ("<EventTypeCode", "<!--"), ("/>\n</Event", "-->\n</Event"),
          path=_EVENT, line_with="<EventIdent"),
    _case("event-type-code", _LOGIN, ('<EventTypeCode csd-code="110123"', '<EventTypeCode csd-code="9"'),
          verdict="valid", path=f"{_EVENT}/EventTypeCode", line_with='csd-code="9"'),
    _case("event-participant-missing", _MOVE, ('csd-code="110153"', 'csd-code="110151"'), path=_ROOT),
    _case("event-participant-missing", _START, ('csd-code="110150"', 'csd-code="110151"'), path=_ROOT),
    _case("event-participant-surplus", _MOVE, ('csd-code="110152"', 'csd-code="110153"'),
          path=f"{_ROOT}/ActiveParticipant[2]"),
    _case("participant-requestor", _ENTRY, ('UserIsRequestor="false"', 'UserIsRequestor="true"'),
          path=f"{_ROOT}/ActiveParticipant/@UserIsRequestor", line_with="<ActiveParticipant"),
    _case("participant-attribute-missing", example("110114", "minimal"),
          (' NetworkAccessPointID="10.1.2.3"', ""),
          path=f"{_ROOT}/ActiveParticipant", line_with="<ActiveParticipant"),
    _case("media-unidentified", _EXPORT, ("<MediaIdentifier>", "<!--"), ("</MediaIdentifier>", "-->"),
          verdict="valid"),
    _case("event-object-missing", _ACCESS, ('csd-code="110180"', 'csd-code="9"'), path=_ROOT),
    _case("event-object-surplus", _LOG,
          ("</AuditMessage>", _LOG.decode()[_LOG.decode().index("<ParticipantObjectId"):]),
          verdict="valid", path=f"{_OBJECT}[2]"),
    _case("object-type", _ACCESS,
          ('ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3"',
           'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="5"')),
    _case("object-role", _FIND,
          ('ParticipantObjectTypeCodeRole="3"', 'ParticipantObjectTypeCodeRole="24"'),
          verdict="valid", path=f"{_OBJECT}/@ParticipantObjectTypeCodeRole"),
    _case("object-id-type", example("110109"), ('csd-code="2" codeSystemName="RFC-3881"',
                                                'csd-code="1" codeSystemName="RFC-3881"'),
          verdict="valid", path=f"{_OBJECT}/ParticipantObjectIDTypeCode"),
    _case("object-query-missing", _FIND, ("<ParticipantObjectQuery>", "<ParticipantObjectName>"),
          ("</ParticipantObjectQuery>", "</ParticipantObjectName>"), path=_OBJECT),
    _case("object-detail-missing", _ALERT, ("Alert Description", "Alarm"), path=_OBJECT),
    _case("query-transfer-syntax", _FIND, ('type="TransferSyntax"', 'type="Syntax"'), path=_OBJECT),
    _case("query-undecodable", _FIND, ("CABSAENT", "CABSAEN0"), verdict="valid",
          path=f"{_OBJECT}/ParticipantObjectQuery"),
    _case("audit-log-name", _LOG, ("Security Audit Log", "The log"), verdict="valid", path=_OBJECT),
    _case("sop-class-missing", _ACCESS, ("<SOPClass", "<!--"), ("/>\n</ParticipantObjectDesc",
                                                              "-->\n</ParticipantObjectDesc")),
]  # fmt: skip

_IHE = {"tier": "ihe"}
TRANSACTIONS = [
    _case("ihe-transaction-unknown", _ITI_18, ('<EventTypeCode csd-code="ITI-18"',
                                               '<EventTypeCode csd-code="RAD-69"'),
          verdict="valid", **_IHE, path=f"{_EVENT}/EventTypeCode", line_with='"RAD-69"'),
    _case("ihe-event-id", _ITI_18, ('EventID csd-code="110112"', 'EventID csd-code="110110"'),
          **_IHE, path=f"{_EVENT}/EventID", line_with="<EventID"),
    _case("ihe-action-code", _ITI_18, ('EventActionCode="E"', 'EventActionCode="R"'), **_IHE,
          path=f"{_EVENT}/@EventActionCode"),
    _case("ihe-participant-missing", _ITI_18, ('csd-code="110152"', 'csd-code="110150"'), **_IHE,
          path=_ROOT),
    _case("ihe-participant-surplus", _ITI_18,
          ('UserName="alias&lt;anna@idp.example>" UserIsRequestor="true"/>',
           'UserIsRequestor="true" NetworkAccessPointID="10.0.0.7" NetworkAccessPointTypeCode="2">'
           '<RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>'
           "</ActiveParticipant>"),
          verdict="valid", **_IHE, path=f"{_ROOT}/ActiveParticipant[2]"),
    _case("ihe-participant-requestor", _DISCLOSURE,
          ('UserID="court" UserIsRequestor="false"', 'UserID="court" UserIsRequestor="true"'),
          verdict="valid", **_IHE, path=f"{_ROOT}/ActiveParticipant[3]/@UserIsRequestor",
          line_with="court"),
    _case("ihe-participant-attribute", _ITI_18, (' AlternativeUserID="4711"', ""),
          verdict="valid", **_IHE, line_with="<ActiveParticipant"),
    _case("ihe-object-missing", _ITI_18,
          ('ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="24"',
           'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3"'),
          ('<ParticipantObjectIDTypeCode csd-code="ITI-18"', '<ParticipantObjectIDTypeCode csd-code="12"'),
          **_IHE, path=_ROOT),
    _case("ihe-object-surplus", _ITI_18,
          ('ParticipantObjectID="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d" '
           'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="24">',
           'ParticipantObjectID="q" ParticipantObjectTypeCode="2" '
           'ParticipantObjectTypeCodeRole="24"><ParticipantObjectIDTypeCode csd-code="ITI-18" '
           'codeSystemName="IHE Transactions" originalText="Registry Stored Query"/>'
           "<ParticipantObjectQuery>AAAA</ParticipantObjectQuery></ParticipantObjectIdentification>"
           '<ParticipantObjectIdentification ParticipantObjectID="r" '
           'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="24">'),
          verdict="valid", **_IHE, path=f"{_OBJECT}[3]"),
    _case("ihe-object-type", _ITI_18,
          ('ParticipantObjectTypeCodeRole="24"', 'ParticipantObjectTypeCodeRole="3"'),
          verdict="valid", **_IHE, path=f"{_OBJECT}[2]"),
    _case("ihe-object-id-type", _ITI_18, ('<ParticipantObjectIDTypeCode csd-code="ITI-18"',
                                          '<ParticipantObjectIDTypeCode csd-code="10"'),
          verdict="valid", **_IHE, path=f"{_OBJECT}[2]/ParticipantObjectIDTypeCode"),
    _case("ihe-object-life-cycle", _DISCLOSURE,
          ('ParticipantObjectDataLifeCycle="11"', 'ParticipantObjectDataLifeCycle="10"'),
          verdict="valid", **_IHE, path=f"{_OBJECT}[2]"),
    _case("ihe-object-query-missing", _ITI_18,
          ("<ParticipantObjectQuery>PEFkaG9jUXVlcnlSZXF1ZXN0Lz4=</ParticipantObjectQuery>", ""),
          **_IHE, path=f"{_OBJECT}[2]"),
    _case("ihe-object-detail-missing", _ITI_9, ('type="MSH-10"', 'type="MSH-9"'),
          verdict="valid", **_IHE, path=f"{_OBJECT}[2]"),
    _case("ihe-disclosure-purpose", _DISCLOSURE, ("<PurposeOfUse", "<!--"),
          ('Enforcement"/>', "-->"), **_IHE, path=_EVENT, line_with="<EventIdent"),
    _case("ihe-one-patient", _ITI_9,
          ("</AuditMessage>",
           '<ParticipantObjectIdentification ParticipantObjectID="2" ParticipantObjectTypeCode="1" '
           'ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode csd-code="2" '
           'codeSystemName="RFC-3881" originalText="Patient Number"/>'
           "</ParticipantObjectIdentification></AuditMessage>"),
          verdict="valid", **_IHE, path=f"{_OBJECT}[3]"),
]  # fmt: skip

CASES = [*XML, *GRAMMAR, *LEGACY, *VALUES, *EVENTS, *TRANSACTIONS]
