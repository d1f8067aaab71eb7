"""What editions of the standard and senders in the field write, and what is to be said of it.

The messages are of our own words; each holds the habits of one edition or one family of senders.
"""

from dataclasses import dataclass

from tests.conformance.corpus import changed

HEADER = b"<85>1 2026-03-01T09:30:00.000Z ws-1.example app 7 IHE+RFC-3881 - "
XSI = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="http://schema.example/audit-message.rnc"'
)
EVENT = (
    '<EventIdentification EventActionCode="R" EventDateTime="2026-03-01T09:30:00.123Z" '
    'EventOutcomeIndicator="0">'
    '<EventID csd-code="110103" codeSystemName="DCM" originalText="DICOM Instances Accessed"/>'
    "</EventIdentification>"
)
USER = '<ActiveParticipant UserID="anna" UserIsRequestor="true"/>'
SOURCE = (
    '<AuditSourceIdentification AuditSourceID="pacs">'
    '<AuditSourceTypeCode csd-code="4"/></AuditSourceIdentification>'
)
STUDY = (
    '<ParticipantObjectIdentification ParticipantObjectID="2.999.4.1" '
    'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3">'
    '<ParticipantObjectIDTypeCode csd-code="110180" codeSystemName="DCM" '
    'originalText="Study Instance UID"/><ParticipantObjectName>CT</ParticipantObjectName>'
    "<ParticipantObjectDescription><Accession Number='A1'/>"
    '<SOPClass UID="1.2.840.10008.5.1.4.1.1.2" NumberOfInstances="3"/>'
    "</ParticipantObjectDescription></ParticipantObjectIdentification>"
)
PURPOSE = '<PurposeOfUse csd-code="NORM" codeSystemName="2.999.3" originalText="x"/>'
EMPTY = (
    "<ParticipantObjectDescription><ParticipantObjectContainsStudy/>"
    "</ParticipantObjectDescription>"
)
WORDS = "<ParticipantObjectDescription>CT of the head</ParticipantObjectDescription>"
PATIENT = (
    '<ParticipantObjectIdentification ParticipantObjectID="4711" '
    'ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1">'
    '<ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" '
    'originalText="Patient Number"/><ParticipantObjectName>Doe^Jane</ParticipantObjectName>'
    "</ParticipantObjectIdentification>"
)


def message(*parts: str, root: str = "AuditMessage") -> bytes:
    name = root.split(" ", maxsplit=1)[0]
    return f"<{root}>{''.join(parts)}</{name}>".encode()


def old(text: str) -> str:
    """The same in the words of RFC 3881."""
    return text.replace("csd-code=", "code=").replace("originalText=", "displayName=")


def with_(text: str, *pairs: tuple[str, str]) -> str:
    return changed(text.encode(), *pairs).decode()


WHOLE = message(EVENT, USER, SOURCE, STUDY, PATIENT)


@dataclass(frozen=True)
class Habit:
    """One message and what is to be said of it.

    Attributes:
        octets: as sent.
        graded: dialect, tier, verdict.
        rules: that must be found; any others are listed as well.
        quiet: nothing but these rules may be found.
        event: code of the EventID.
    """

    octets: bytes
    graded: tuple[str, str, str]
    rules: frozenset[str] = frozenset()
    quiet: bool = True
    event: str = "110103"


DICOM, IHE, LEGACY = (
    ("dicom", "dicom", "valid"),
    ("dicom", "ihe", "valid"),
    ("dicom", "legacy", "valid"),
)
OLD = ("rfc3881", "legacy", "valid")
NONE = ("dicom", "none", "invalid")
IN_OLD_WORDS = frozenset({"legacy-code", "legacy-display-name", "legacy-audit-source-type"})

EDITIONS = {
    "RFC 3881": Habit(
        message(
            old(EVENT),
            '<ActiveParticipant UserID="anna"/>',
            old(SOURCE),
            old(with_(STUDY, (STUDY[STUDY.index("<ParticipantObjectDesc") : -34], ""))),
            old(PATIENT),
        ),
        OLD,
        IN_OLD_WORDS | {"legacy-requestor"},
    ),
    "DICOM 2011 to 2014: a code of the audit source, bare descriptions": Habit(
        message(
            EVENT,
            USER,
            '<AuditSourceIdentification AuditSourceID="pacs" code="4" codeSystemName="DCM" '
            'originalText="Application Server Process"/>',
            STUDY.replace("<ParticipantObjectDescription>", "").replace(
                "</ParticipantObjectDescription>", ""
            ),
            PATIENT,
        ),
        LEGACY,
        frozenset({"legacy-audit-source-code", "legacy-description"}),
    ),
    "DICOM 2016a: the source type as text": Habit(
        WHOLE.replace(
            b'<AuditSourceTypeCode csd-code="4"/>', b"<AuditSourceTypeCode>4</AuditSourceTypeCode>"
        ),
        LEGACY,
        frozenset({"legacy-audit-source-type"}),
    ),
    "DICOM 2016c: the source type by code": Habit(
        WHOLE.replace(b'TypeCode csd-code="4"', b'TypeCode code="4"'),
        LEGACY,
        frozenset({"legacy-audit-source-type"}),
    ),
    "DICOM 2017c to 2026a": Habit(WHOLE, DICOM),
    "DICOM 2026a: several roles, another initiator, URI medium": Habit(
        message(
            EVENT.replace("110103", "110106").replace("DICOM Instances Accessed", "Export"),
            '<ActiveParticipant UserID="anna" UserIsRequestor="true">'
            '<RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>'
            '<RoleIDCode csd-code="110156" codeSystemName="DCM" originalText="Initiator Role ID"/>'
            '<RoleIDCode csd-code="125676002" codeSystemName="SCT" originalText="Person"/>'
            "</ActiveParticipant>",
            '<ActiveParticipant UserID="https://cloud.example" UserIsRequestor="false">'
            '<RoleIDCode csd-code="110154" codeSystemName="DCM" '
            'originalText="Destination Media"/>'
            '<MediaIdentifier><MediaType csd-code="110037" codeSystemName="DCM" '
            'originalText="URI"/></MediaIdentifier></ActiveParticipant>',
            SOURCE,
            STUDY,
            PATIENT,
        ),
        DICOM,
        event="110106",
    ),
    "IHE: a purpose of use, a patient without a name": Habit(
        message(
            with_(
                EVENT,
                (
                    "</EventIdentification>",
                    f"{PURPOSE}</EventIdentification>",
                ),
            ),
            USER,
            SOURCE,
            STUDY,
            with_(PATIENT, ("<ParticipantObjectName>Doe^Jane</ParticipantObjectName>", "")),
        ),
        IHE,
        frozenset({"not-strict"}),
    ),
    "IHE of the fourth year": Habit(
        b"<IHEYr4><ActorStartStop/></IHEYr4>",
        ("unknown", "none", "invalid"),
        frozenset({"wrong-root"}),
        event="",
    ),
}

DCM4CHE_USER = (
    '<ActiveParticipant UserID="ARCHIVE" AlternativeUserID="AETITLES=ARCHIVE;ARCHIVE2" '
    'UserIsRequestor="true" UserTypeCode="2" NetworkAccessPointID="h1.example" '
    'NetworkAccessPointTypeCode="1">'
    '<RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source"/>'
    '<UserIDTypeCode csd-code="110119" codeSystemName="DCM" originalText="Station AE Title"/>'
    "</ActiveParticipant>"
)
SENDERS = {
    "dcm4che: schema location, byte order mark, types of users": Habit(
        HEADER
        + b"\xef\xbb\xbf"
        + message(EVENT, DCM4CHE_USER, SOURCE, STUDY, PATIENT, root=f"AuditMessage {XSI}"),
        LEGACY,
        frozenset({"syslog-bom", "foreign-attribute", "legacy-user-type"}),
    ),
    "dcm4che: a medium that stands bare, empty descriptions": Habit(
        message(
            EVENT,
            '<ActiveParticipant UserID="anna" UserIsRequestor="true">'
            '<RoleIDCode csd-code="110154" codeSystemName="DCM" '
            'originalText="Destination Media"/>'
            '<MediaType csd-code="110032" codeSystemName="DCM" originalText="CD-R"/>'
            "</ActiveParticipant>",
            SOURCE,
            STUDY,
            with_(
                PATIENT,
                (
                    "</ParticipantObjectIdentification>",
                    f"{EMPTY}</ParticipantObjectIdentification>",
                ),
            ),
        ),
        LEGACY,
        frozenset({"legacy-media-type"}),
        quiet=False,
    ),
    "dcm4che: local event types of an alert": Habit(
        message(
            EVENT.replace('"R"', '"E"')
            .replace("110103", "110113")
            .replace("DICOM Instances Accessed", "Security Alert")
            .replace(
                "</EventIdentification>",
                '<EventTypeCode csd-code="ASSOCIATION-FAILURE" codeSystemName="99DCM4CHEE" '
                'originalText="Association Failure"/></EventIdentification>',
            ),
            DCM4CHE_USER,
            SOURCE,
            root=f"AuditMessage {XSI}",
        ),
        LEGACY,
        frozenset({"foreign-attribute", "legacy-user-type"}),
        event="110113",
    ),
    "an AE title named in the singular, a role with a trailing blank, a time without zone": Habit(
        message(
            with_(old(EVENT), ("00.123Z", "00")),
            old(
                '<ActiveParticipant UserID="1" AlternativeUserID="AETITLE=AEFOO" '
                'UserIsRequestor="true"><RoleIDCode csd-code="110153" codeSystemName="DCM" '
                'originalText="Source Role ID "/></ActiveParticipant>'
            ),
            old(SOURCE),
            old(PATIENT),
            old(STUDY),
        ),
        OLD,
        IN_OLD_WORDS | {"ae-titles", "event-date-time-zone", "rfc3881-mixed"},
    ),
    "IPF: a mark before the declaration, nanoseconds, a trace parent, empty description": Habit(
        HEADER
        + b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>'
        + message(
            with_(
                EVENT,
                ("00.123Z", "00.123456789Z"),
                ("</EventIdentification>", "<EventOutcomeDescription/></EventIdentification>"),
            ),
            USER,
            SOURCE,
            STUDY,
            PATIENT,
            '<ParticipantObjectIdentification ParticipantObjectID="00-0af7-b7ad-01" '
            'ParticipantObjectTypeCode="4" ParticipantObjectTypeCodeRole="26">'
            '<ParticipantObjectIDTypeCode csd-code="traceparent" '
            'codeSystemName="https://www.w3.org/TR/trace-context/" originalText="traceparent"/>'
            "</ParticipantObjectIdentification>",
        ),
        IHE,
        frozenset({"syslog-bom", "not-strict"}),
    ),
    "OpenATNA and OpenXDS: application and facility, two requestors": Habit(
        HEADER
        + message(
            old(EVENT),
            old(USER),
            '<ActiveParticipant UserID="XDS|HOSP" UserIsRequestor="true"/>',
            old(SOURCE),
            old(PATIENT),
            old(STUDY),
        ),
        OLD,
        IN_OLD_WORDS | {"rfc3881-mixed"},
    ),
    "a MSGID without hyphen": Habit(
        HEADER.replace(b"IHE+RFC-3881", b"DICOM+RFC3881") + WHOLE, DICOM
    ),
    "dcm4che 2: a description in words, what it should hold beside it": Habit(
        message(
            old(EVENT),
            old(USER),
            old(SOURCE),
            old(
                with_(
                    STUDY,
                    (
                        "<ParticipantObjectDescription>",
                        WORDS,
                    ),
                    (
                        "</ParticipantObjectDescription></ParticipantObjectI",
                        "</ParticipantObjectI",
                    ),
                )
            ),
            old(PATIENT),
        ),
        OLD,
        IN_OLD_WORDS | {"legacy-description", "rfc3881-mixed"},
    ),
    "a MSGID of two words": Habit(
        HEADER.replace(b"IHE+RFC-3881", b"IHE+RFC3881") + WHOLE,
        DICOM,
        frozenset({"syslog-msgid"}),
    ),
    "OpenHIM: another MSGID, a line break before the XML": Habit(
        HEADER.replace(b"IHE+RFC-3881", b"IHE+DICOM") + b"\n" + WHOLE,
        DICOM,
        frozenset({"syslog-msgid", "octets-around-xml"}),
    ),
    "OpenMRS: roles of a code alone": Habit(
        message(
            old(EVENT),
            '<ActiveParticipant UserID="admin" UserIsRequestor="true">'
            '<RoleIDCode code="Clinician"/></ActiveParticipant>',
            old(SOURCE),
            old(PATIENT),
            old(STUDY),
        ),
        OLD,
        IN_OLD_WORDS | {"legacy-code-incomplete", "rfc3881-mixed"},
    ),
    "OpenEMR: a line instead of a header, no code of the event": Habit(
        b'<13>2026-03-01T10:00:00+00:00 emr.example\n<?xml version="1.0" encoding="ASCII"?>\n '
        + message(
            old(EVENT).replace("110103", "eventIDcode"),
            old(USER),
            old(SOURCE),
            root=f"AuditMessage {XSI}",
        ),
        OLD,
        IN_OLD_WORDS | {"syslog-pri", "syslog-header-malformed", "event-id-unknown"},
        quiet=False,
        event="eventIDcode",
    ),
    "capital booleans, a zone without colon, attributes of no standard": Habit(
        message(
            with_(
                EVENT,
                ("00.123Z", "00.123-0500"),
                ("EventOutcomeI", 'EventOutcomeDescription="x" EventOutcomeI'),
            ),
            USER.replace("true", "TRUE"),
            SOURCE,
            STUDY,
            PATIENT,
        ),
        NONE,
        frozenset({"event-date-time", "grammar-attribute-unexpected", "user-is-requestor"}),
    ),
    "a misspelt attribute, names as attributes": Habit(
        message(
            EVENT,
            '<ActiveParticipant UserID="anna" AlternativUserID="a" UserIsRequestor="true"/>',
            SOURCE,
            STUDY,
            '<ParticipantObjectIdentification ParticipantObjectID="4711" '
            'ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1" '
            'ParticipantObjectName="Doe"/>',
        ),
        NONE,
        frozenset({"grammar-attribute-unexpected", "grammar-element-missing"}),
        quiet=False,
    ),
    "the audit source before the participants": Habit(
        message(old(EVENT), old(SOURCE), old(USER), old(PATIENT)),
        ("rfc3881", "none", "invalid"),
        frozenset({"grammar-element-unexpected"}),
        quiet=False,
    ),
    "CONNECT: a namespace of its own": Habit(
        WHOLE.replace(b"<AuditMessage>", b'<AuditMessage xmlns="http://audit.example/schema">'),
        NONE,
        frozenset({"wrong-namespace"}),
    ),
    "a BSD header (RFC 3164)": Habit(
        b"<85>Mar  1 09:30:00 pacs1 conquest[7]: " + WHOLE,
        DICOM,
        frozenset({"syslog-header-rfc3164"}),
    ),
    "no header but PRI": Habit(b"<85>" + WHOLE, DICOM, frozenset({"syslog-header-malformed"})),
    "cut off by a datagram of 1,024 octets": Habit(
        (HEADER + WHOLE)[:1024],
        ("dicom", "none", "malformed"),
        frozenset({"xml-cut-off"}),
    ),
}
HABITS = EDITIONS | SENDERS
