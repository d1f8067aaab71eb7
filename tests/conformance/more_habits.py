"""Further habits of editions and senders, in messages of our own words; see ``habits.py``."""

from tests.conformance.habits import (
    DICOM,
    EVENT,
    IHE,
    IN_OLD_WORDS,
    LEGACY,
    NONE,
    OLD,
    PATIENT,
    PURPOSE,
    SOURCE,
    STUDY,
    USER,
    XSI,
    Habit,
    message,
    old,
    with_,
)

LOGIN = (
    EVENT.replace('"R"', '"E"')
    .replace("110103", "110114")
    .replace("DICOM Instances Accessed", "User Authentication")
    .replace(
        "</EventIdentification>",
        '<EventTypeCode csd-code="110122" codeSystemName="DCM" originalText="Login"/>'
        "</EventIdentification>",
    )
)
PIX = (
    EVENT.replace('"R"', '"E"')
    .replace("110103", "110112")
    .replace("DICOM Instances Accessed", "Query")
    .replace(
        "</EventIdentification>",
        '<EventTypeCode csd-code="ITI-45" codeSystemName="IHE Transactions" '
        'originalText="PIX Query"/></EventIdentification>',
    )
)
CONSUMER = (
    '<ActiveParticipant UserID="https://portal.example/pix" AlternativeUserID="2018" '
    'UserIsRequestor="true" NetworkAccessPointID="0045e6d0" NetworkAccessPointTypeCode="1">'
    '<RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>'
    "</ActiveParticipant>"
)
SYSTEM = (
    '<ActiveParticipant UserID="_SYSTEM" UserIsRequestor="true" NetworkAccessPointID="0045e6d0" '
    'NetworkAccessPointTypeCode="1"><RoleIDCode csd-code="%All" codeSystemName="Share" '
    'originalText="%All"></RoleIDCode></ActiveParticipant>'
)
MANAGER = (
    '<ActiveParticipant UserID="https://mpi.example/pix" UserIsRequestor="false" '
    'NetworkAccessPointID="mpi.example" NetworkAccessPointTypeCode="1">'
    '<RoleIDCode csd-code="110152" codeSystemName="DCM" originalText="Destination Role ID"/>'
    "</ActiveParticipant>"
)
NAMELESS = with_(PATIENT, ("<ParticipantObjectName>Doe^Jane</ParticipantObjectName>", ""))
ASKED = (
    '<ParticipantObjectIdentification ParticipantObjectID="1^^^&amp;2.999.1&amp;ISO" '
    'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="24">'
    '<ParticipantObjectIDTypeCode csd-code="ITI-45" codeSystemName="IHE Transactions" '
    'originalText="PIX Query"/><ParticipantObjectQuery>PHEvPg==</ParticipantObjectQuery>'
    '<ParticipantObjectDetail type="MSH-10" value="MQ=="/></ParticipantObjectIdentification>'
)
PIX_QUERY = message(PIX, CONSUMER, SYSTEM, MANAGER, SOURCE, NAMELESS, ASKED)
URI = (
    '<ParticipantObjectIdentification ParticipantObjectID="8fa1::ehr::1" '
    'ParticipantObjectTypeCode="2" ParticipantObjectDataLifeCycle="6">'
    '<ParticipantObjectIDTypeCode csd-code="12" codeSystemName="RFC-3881" originalText="URI"/>'
    "</ParticipantObjectIdentification>"
)
PROCESS = (
    '<ActiveParticipant UserID="ehr" UserIsRequestor="false" NetworkAccessPointID="10.0.0.2" '
    'NetworkAccessPointTypeCode="2"><RoleIDCode csd-code="110152" codeSystemName="DCM" '
    'originalText="Destination Role ID"/></ActiveParticipant>'
)
STATION = (
    '<ActiveParticipant UserID="admin" UserTypeCode="1" UserIsRequestor="true">'
    '<UserIDTypeCode csd-code="113871" codeSystemName="DCM" originalText="Person ID"/>'
    "</ActiveParticipant>"
)
WHOLE = message(EVENT, USER, SOURCE, STUDY, PATIENT)
RECORD = EVENT.replace("110103", "110110").replace("DICOM Instances Accessed", "composition")

MORE_HABITS = {
    "a login that names a user and nothing else, of old": Habit(
        message(
            old(LOGIN),
            '<ActiveParticipant UserID="admin" NetworkAccessPointID="10.0.0.1" '
            'NetworkAccessPointTypeCode="2"/>',
            old(SOURCE),
        ),
        OLD,
        IN_OLD_WORDS | {"legacy-requestor"},
        event="110114",
    ),
    "a login as the event itself": Habit(
        message(
            LOGIN.replace("110114", "110122").replace("User Authentication", "Login"),
            STATION,
            SOURCE,
            root=f"AuditMessage {XSI}",
        ),
        LEGACY,
        frozenset({"foreign-attribute", "legacy-user-type", "event-id-unknown"}),
        event="110122",
    ),
    "the example of PS3.17 since 2022: today's words beside older ones": Habit(
        message(
            EVENT.replace("00.123Z", "00"),
            USER,
            SOURCE.replace("csd-code", "code"),
            STUDY,
            PATIENT.replace(
                'csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"', 'code="2"'
            ),
        ),
        LEGACY,
        frozenset(
            {
                "event-date-time-zone",
                "legacy-audit-source-type",
                "legacy-code",
                "legacy-code-incomplete",
            }
        ),
    ),
    "a misprint of the schema of PS3.15": Habit(
        WHOLE.replace(
            b'ParticipantObjectID="4711"',
            b'ParticipantObjectID="4711" ParticipantObjectSensistity="VIP"',
        ),
        LEGACY,
        frozenset({"legacy-sensitivity"}),
    ),
    "an audit source with a code of its own and a type": Habit(
        WHOLE.replace(b'AuditSourceID="pacs">', b'AuditSourceID="pacs" code="1">'),
        LEGACY,
        frozenset({"legacy-audit-source-code"}),
    ),
    "HealthShare: a user and a role of its own": Habit(
        PIX_QUERY, IHE, frozenset({"not-strict"}), event="110112"
    ),
    "a query of which a comment is left": Habit(
        PIX_QUERY.replace(b"PHEvPg==", b" <!-- left out --> "),
        ("dicom", "ihe", "invalid"),
        frozenset({"not-strict", "ihe-object-query-missing"}),
        event="110112",
    ),
    "two requestors and a purpose, of a portal": Habit(
        PIX_QUERY.replace(b"</EventIdentification>", PURPOSE.encode() + b"</EventIdentification>"),
        IHE,
        frozenset({"not-strict"}),
        event="110112",
    ),
    "a user without UserIsRequestor in today's words": Habit(
        PIX_QUERY.replace(b"<AuditSource", b'<ActiveParticipant UserID="x"/><AuditSource', 1),
        NONE,
        frozenset({"grammar-attribute-missing"}),
        event="110112",
    ),
    "the URL of a service as a machine's name": Habit(
        PIX_QUERY.replace(b'ID="mpi.example"', b'ID="https://mpi.example/pix"'),
        IHE,
        frozenset({"not-strict", "network-access-point-type"}),
        event="110112",
    ),
    "a name and a query of one object": Habit(
        PIX_QUERY.replace(
            b"<ParticipantObjectQuery>",
            b"<ParticipantObjectName>q</ParticipantObjectName><ParticipantObjectQuery>",
        ),
        NONE,
        frozenset({"grammar-element-unexpected"}),
        event="110112",
    ),
    "identifiers whose ampersands are not escaped": Habit(
        PIX_QUERY.replace(b"&amp;", b"&"),
        ("unknown", "none", "malformed"),
        frozenset({"xml-not-well-formed"}),
        event="",
    ),
    "IsRequestor, and a user without UserID, of old": Habit(
        message(
            old(LOGIN),
            '<ActiveParticipant AlternativeUserID="7" UserIsRequestor="true"/>',
            '<ActiveParticipant UserID="x" IsRequestor="false"/>',
            old(SOURCE),
        ),
        ("rfc3881", "none", "invalid"),
        frozenset({"grammar-attribute-missing", "grammar-attribute-unexpected"}),
        quiet=False,
        event="110114",
    ),
    "an event named by what was read, and an address of it": Habit(
        message(RECORD, USER, PROCESS, SOURCE, NAMELESS, URI),
        IHE,
        frozenset({"code-text", "not-strict"}),
        event="110110",
    ),
    "tags written over lines, a comment in front": Habit(
        b"<!-- a message -->\r\n" + WHOLE.replace(b'" ', b'"\r\n\t'), DICOM
    ),
    "an interface in an IPv6 address, an address called a name": Habit(
        message(
            LOGIN,
            '<ActiveParticipant UserID="fe80::5999:d1ef%11" UserIsRequestor="true" '
            'NetworkAccessPointID="192.0.2.7" NetworkAccessPointTypeCode="1"/>',
            SOURCE,
        ),
        DICOM,
        frozenset({"network-access-point-type"}),
        event="110114",
    ),
}
