"""Valid messages of every event, minimal, typical and full, and ways to change one thing."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from audit.record import build
from audit.record.audit_message import AuditMessage
from audit.record.serialise import serialise

MESSAGES = Path(__file__).parent / "messages"
SIZES = ("minimal", "typical", "full")

_HERE = build.audit_source("pacs-1", "St. Anna", [build.SourceType.APPLICATION_SERVER])
_BARE = build.Occurrence(when=datetime(2026, 3, 1, 9, 30, tzinfo=UTC), source=_HERE)
_TOLD = build.Occurrence(
    when=datetime(2026, 3, 1, 9, 30, 1, 250_000, tzinfo=UTC),
    source=_HERE,
    outcome=build.Outcome.MINOR_FAILURE,
    outcome_description="2 of 300 objects were refused <cause & effect>",
)
_PERSON = build.Person(user_id="a.mueller@st-anna.example", address="10.1.2.3")
_NAMED = build.Person(
    user_id="b.nowak@st-anna.example",
    name="Nowak^Barbara",
    alternative_user_id="4711@st-anna",
    address="ws-17.st-anna.example",
)
_ARCHIVE = build.Process(process_id="815", ae_titles=("ARCHIVE",), address="10.1.2.9")
_SCANNER = build.Process(
    process_id="99", name="ct", ae_titles=("CT1", "CT1_B"), address="ct1.st-anna.example"
)
_NODE = build.Node(node_id="ct1.st-anna.example")
_PATIENT = build.Patient(id="4711", name="Müller^Anna", assigner="2.999.17.1")
_OTHER = build.Patient(id="4712", name="Öz^Can", sensitivity="VIP")
_STUDY = build.Study(uid="2.999.4.1")
_TYPICAL_STUDY = build.Study(
    uid="2.999.4.2",
    description="CT head",
    accessions=("A1",),
    sop_classes=(build.SOPInstances("1.2.840.10008.5.1.4.1.1.2", 300),),
)
_FULL_STUDY = build.Study(
    uid="2.999.4.3",
    description="US abdomen",
    accessions=("A1", "A2"),
    mpps=("2.999.5.1",),
    sop_classes=(
        build.SOPInstances("1.2.840.10008.5.1.4.1.1.6.1", 2, ("2.999.6.1", "2.999.6.2")),
        build.SOPInstances(None, 1),
    ),
    encrypted=True,
    anonymized=False,
    sensitivity="high",
    life_cycle=build.LifeCycle.ACCESS,
)
_CD = build.Media(media_id="CD 17", type=build.MediaType.CD)
_MAIL = build.Media(
    media_id="mailto:dr@example.org",
    type=build.MediaType.EMAIL,
    label="ABC",
    address="dr@example.org",
)
# 0008,0052 STUDY and 0010,0010 SMITH* in explicit VR little endian
IDENTIFIER = b"\x08\x00\x52\x00CS\x06\x00STUDY \x10\x00\x10\x00PN\x06\x00SMITH*"
_FIND = build.DicomQuery(
    sop_class_uid="1.2.840.10008.5.1.4.1.2.2.1",
    identifier=IDENTIFIER,
    transfer_syntax_uid="1.2.840.10008.1.2.1",
)
_QIDO = build.UrlQuery(url="https://pacs.example/studies?PatientName=SMITH*&limit=5")
_MOVE = build.Exchange(source=_SCANNER, destination=_ARCHIVE)
_THIRD = build.Exchange(source=_ARCHIVE, destination=_SCANNER, others=(_NAMED,))
_SUBJECT = build.AlertSubject(id="10.9.9.9", description="certificate unknown")
_FILE = build.AlertSubject(
    id="file:///etc/arr.toml",
    id_type=build.IdType.URI,
    description="limits changed",
    name="configuration",
    role=build.SubjectRole.MASTER_FILE,
)
_LOG = "https://arr.example/api/v1/events"


def _three(*made: AuditMessage) -> dict[str, AuditMessage]:
    return dict(zip(SIZES, made, strict=True))


def _records(
    function: Callable[..., AuditMessage], *more: tuple[build.Study, ...]
) -> dict[str, AuditMessage]:
    few: list[tuple[build.Study, ...]] = [more[0]] if more else []
    many: list[tuple[build.Study, ...]] = [more[1]] if more else []
    return _three(
        function(_BARE, build.Action.CREATE, [_PERSON], _PATIENT),
        function(_BARE, build.Action.READ, [_NAMED], _PATIENT, *few),
        function(_TOLD, build.Action.UPDATE, [_NAMED, _ARCHIVE], _OTHER, *many),
    )


EXAMPLES: dict[str, dict[str, AuditMessage]] = {
    "110100": _three(
        build.application_activity(_BARE, build.ApplicationActivity.START, _ARCHIVE),
        build.application_activity(_BARE, build.ApplicationActivity.STOP, _ARCHIVE, [_PERSON]),
        build.application_activity(
            _TOLD, build.ApplicationActivity.START, _SCANNER, [_NAMED, _ARCHIVE]
        ),
    ),
    "110101": _three(
        build.audit_log_used(_BARE, [_PERSON], _LOG),
        build.audit_log_used(_BARE, [_NAMED, _ARCHIVE], _LOG),
        build.audit_log_used(_TOLD, [_NAMED, _ARCHIVE], _LOG, [("query", "patient:4711")]),
    ),
    "110102": _three(
        build.begin_transferring(_BARE, _MOVE, _PATIENT, [_STUDY]),
        build.begin_transferring(_BARE, _MOVE, _PATIENT, [_TYPICAL_STUDY]),
        build.begin_transferring(_TOLD, _THIRD, _OTHER, [_FULL_STUDY, _STUDY]),
    ),
    "110103": _three(
        build.instances_accessed(_BARE, build.Action.READ, [_PERSON], _PATIENT, [_STUDY]),
        build.instances_accessed(
            _BARE, build.Action.CREATE, [_NAMED, _ARCHIVE], _PATIENT, [_TYPICAL_STUDY]
        ),
        build.instances_accessed(
            _TOLD, build.Action.UPDATE, [_NAMED, _ARCHIVE], _OTHER, [_FULL_STUDY, _STUDY]
        ),
    ),
    "110104": _three(
        build.instances_transferred(_BARE, build.Action.CREATE, _MOVE, _PATIENT, [_STUDY]),
        build.instances_transferred(_BARE, build.Action.READ, _MOVE, _PATIENT, [_TYPICAL_STUDY]),
        build.instances_transferred(
            _TOLD, build.Action.UPDATE, _THIRD, _OTHER, [_FULL_STUDY, _STUDY]
        ),
    ),
    "110105": _three(
        build.study_deleted(_BARE, [_PERSON], _PATIENT, [_STUDY]),
        build.study_deleted(_BARE, [_NAMED, _ARCHIVE], _PATIENT, [_TYPICAL_STUDY]),
        build.study_deleted(_TOLD, [_NAMED], _OTHER, [_FULL_STUDY, _STUDY]),
    ),
    "110106": _three(
        build.data_export(_BARE, [_PERSON], _CD, [_PATIENT]),
        build.data_export(_BARE, [_NAMED], _CD, [_PATIENT], [_TYPICAL_STUDY]),
        build.data_export(
            _TOLD, [_NAMED, _ARCHIVE], _MAIL, [_PATIENT, _OTHER], [_FULL_STUDY], [_SCANNER]
        ),
    ),
    "110107": _three(
        build.data_import(_BARE, [_PERSON], _CD, [_PATIENT]),
        build.data_import(_BARE, [_NAMED], _CD, [_PATIENT], [_TYPICAL_STUDY]),
        build.data_import(
            _TOLD, [_NAMED, _ARCHIVE], _MAIL, [_PATIENT, _OTHER], [_FULL_STUDY], [_SCANNER]
        ),
    ),
    "110108": _three(
        build.network_entry(_BARE, build.NetworkEntry.ATTACH, _NODE),
        build.network_entry(_BARE, build.NetworkEntry.DETACH, _NODE),
        build.network_entry(
            _TOLD, build.NetworkEntry.ATTACH, build.Node(node_id="n", name="N", address="10.0.0.1")
        ),
    ),
    "110109": _records(build.order_record),
    "110110": _records(build.patient_record),
    "110111": _records(build.procedure_record, (_STUDY,), (_FULL_STUDY, _STUDY)),
    "110112": _three(
        build.query(_BARE, _MOVE, _FIND),
        build.query(_BARE, _MOVE, _QIDO),
        build.query(_TOLD, _THIRD, _FIND),
    ),
    "110113": _three(
        build.security_alert(_BARE, build.Alert.NODE_AUTHENTICATION, [_ARCHIVE]),
        build.security_alert(_BARE, build.Alert.NODE_AUTHENTICATION, [_ARCHIVE], [_SUBJECT]),
        build.security_alert(
            _TOLD, build.Alert.EMERGENCY_OVERRIDE_STARTED, [_ARCHIVE], [_FILE, _SUBJECT], [_NAMED]
        ),
    ),
    "110114": _three(
        build.user_authentication(_BARE, build.Authentication.LOGIN, _PERSON),
        build.user_authentication(_BARE, build.Authentication.LOGOUT, _NAMED, _NODE),
        build.user_authentication(_TOLD, build.Authentication.LOGIN, _NAMED, _ARCHIVE),
    ),
}


def in_lines(octets: bytes) -> bytes:
    """One tag a line, so that a finding's line says which element it means."""
    return octets.replace(b"><", b">\n<")


def example(event: str, size: str = "typical") -> bytes:
    """A valid message of tier dicom, one tag a line."""
    return in_lines(serialise(EXAMPLES[event][size]))


def handwritten(name: str) -> bytes:
    """A message of ``messages/``, written as a sender of that dialect would."""
    return (MESSAGES / f"{name}.xml").read_bytes()


def changed(octets: bytes, *changes: tuple[str, str]) -> bytes:
    """With the first occurrence of each text replaced; every text must be there."""
    text = octets.decode("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode("utf-8")
