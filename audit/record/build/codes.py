"""The coded values a builder writes, as enumerations (DICOM PS3.16 CID 400-405, PS3.15 A.5)."""

from enum import Enum, StrEnum

from audit.record.audit_message import CodedValue


def _dcm(code: str, text: str) -> CodedValue:
    return CodedValue(code, "DCM", text)


def _rfc3881(code: str, text: str) -> CodedValue:
    return CodedValue(code, "RFC-3881", text)


class EventId(Enum):
    """The events of PS3.15 A.5.3 (CID 400)."""

    APPLICATION_ACTIVITY = _dcm("110100", "Application Activity")
    AUDIT_LOG_USED = _dcm("110101", "Audit Log Used")
    BEGIN_TRANSFERRING = _dcm("110102", "Begin Transferring DICOM Instances")
    INSTANCES_ACCESSED = _dcm("110103", "DICOM Instances Accessed")
    INSTANCES_TRANSFERRED = _dcm("110104", "DICOM Instances Transferred")
    STUDY_DELETED = _dcm("110105", "DICOM Study Deleted")
    EXPORT = _dcm("110106", "Export")
    IMPORT = _dcm("110107", "Import")
    NETWORK_ENTRY = _dcm("110108", "Network Entry")
    ORDER_RECORD = _dcm("110109", "Order Record")
    PATIENT_RECORD = _dcm("110110", "Patient Record")
    PROCEDURE_RECORD = _dcm("110111", "Procedure Record")
    QUERY = _dcm("110112", "Query")
    SECURITY_ALERT = _dcm("110113", "Security Alert")
    USER_AUTHENTICATION = _dcm("110114", "User Authentication")


class ApplicationActivity(Enum):
    """Start or stop of an application (A.5.3.1)."""

    START = _dcm("110120", "Application Start")
    STOP = _dcm("110121", "Application Stop")


class Authentication(Enum):
    """Log-in or log-out of a user (A.5.3.12)."""

    LOGIN = _dcm("110122", "Login")
    LOGOUT = _dcm("110123", "Logout")


class NetworkEntry(Enum):
    """A machine joins or leaves the network (A.5.3.9)."""

    ATTACH = _dcm("110124", "Attach")
    DETACH = _dcm("110125", "Detach")


class Alert(Enum):
    """The kinds of security alert (A.5.3.11, CID 403)."""

    NODE_AUTHENTICATION = _dcm("110126", "Node Authentication")
    EMERGENCY_OVERRIDE_STARTED = _dcm("110127", "Emergency Override Started")
    NETWORK_CONFIGURATION = _dcm("110128", "Network Configuration")
    SECURITY_CONFIGURATION = _dcm("110129", "Security Configuration")
    HARDWARE_CONFIGURATION = _dcm("110130", "Hardware Configuration")
    SOFTWARE_CONFIGURATION = _dcm("110131", "Software Configuration")
    USE_OF_RESTRICTED_FUNCTION = _dcm("110132", "Use of Restricted Function")
    AUDIT_RECORDING_STOPPED = _dcm("110133", "Audit Recording Stopped")
    AUDIT_RECORDING_STARTED = _dcm("110134", "Audit Recording Started")
    OBJECT_SECURITY_ATTRIBUTES_CHANGED = _dcm("110135", "Object Security Attributes Changed")
    SECURITY_ROLES_CHANGED = _dcm("110136", "Security Roles Changed")
    USER_SECURITY_ATTRIBUTES_CHANGED = _dcm("110137", "User security Attributes Changed")
    EMERGENCY_OVERRIDE_STOPPED = _dcm("110138", "Emergency Override Stopped")
    REMOTE_SERVICE_STARTED = _dcm("110139", "Remote Service Operation Started")
    REMOTE_SERVICE_STOPPED = _dcm("110140", "Remote Service Operation Stopped")
    LOCAL_SERVICE_STARTED = _dcm("110141", "Local Service Operation Started")
    LOCAL_SERVICE_STOPPED = _dcm("110142", "Local Service Operation Stopped")


class Role(Enum):
    """What a participant does in the event (CID 402)."""

    APPLICATION = _dcm("110150", "Application")
    LAUNCHER = _dcm("110151", "Application Launcher")
    DESTINATION = _dcm("110152", "Destination Role ID")
    SOURCE = _dcm("110153", "Source Role ID")
    DESTINATION_MEDIA = _dcm("110154", "Destination Media")
    SOURCE_MEDIA = _dcm("110155", "Source Media")


class MediaType(Enum):
    """What images leave or come in on (CID 405)."""

    FILM = _dcm("110010", "Film")
    USB = _dcm("110030", "USB Disk Emulation")
    EMAIL = _dcm("110031", "Email")
    CD = _dcm("110032", "CD")
    DVD = _dcm("110033", "DVD")
    COMPACT_FLASH = _dcm("110034", "Compact Flash")
    MULTIMEDIA_CARD = _dcm("110035", "Multi-media Card")
    SD_CARD = _dcm("110036", "Secure Digital Card")
    URI = _dcm("110037", "URI")
    PAPER = _dcm("110038", "Paper Document")


class IdType(Enum):
    """What a ParticipantObjectID is (A.5.1, CID 404)."""

    PATIENT_NUMBER = _rfc3881("2", "Patient Number")
    URI = _rfc3881("12", "URI")
    STUDY_INSTANCE_UID = _dcm("110180", "Study Instance UID")
    SOP_CLASS_UID = _dcm("110181", "SOP Class UID")
    NODE_ID = _dcm("110182", "Node ID")


class Outcome(StrEnum):
    """EventOutcomeIndicator (A.5.1); of a security alert it tells the gravity (A.5.3.11)."""

    SUCCESS = "0"
    MINOR_FAILURE = "4"
    SERIOUS_FAILURE = "8"
    MAJOR_FAILURE = "12"


class Action(StrEnum):
    """EventActionCode (A.5.1)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class AccessPointType(StrEnum):
    """NetworkAccessPointTypeCode (A.5.1)."""

    MACHINE_NAME = "1"
    IP_ADDRESS = "2"
    TELEPHONE = "3"
    EMAIL = "4"
    URI = "5"


class SourceType(StrEnum):
    """AuditSourceTypeCode (A.5.1.2.1)."""

    USER_INTERFACE = "1"
    ACQUISITION_DEVICE = "2"
    WEB_SERVER = "3"
    APPLICATION_SERVER = "4"
    DATABASE_SERVER = "5"
    SECURITY_SERVER = "6"
    NETWORK_COMPONENT = "7"
    OPERATING_SOFTWARE = "8"
    OTHER = "9"


class LifeCycle(StrEnum):
    """ParticipantObjectDataLifeCycle (A.5.1)."""

    CREATION = "1"
    IMPORT = "2"
    AMENDMENT = "3"
    VERIFICATION = "4"
    TRANSLATION = "5"
    ACCESS = "6"
    DEIDENTIFICATION = "7"
    AGGREGATION = "8"
    REPORT = "9"
    EXPORT = "10"
    DISCLOSURE = "11"
    RECEIPT_OF_DISCLOSURE = "12"
    ARCHIVING = "13"
    LOGICAL_DELETION = "14"
    PHYSICAL_DESTRUCTION = "15"


class SubjectRole(StrEnum):
    """ParticipantObjectTypeCodeRole of an alert's subject (A.5.3.11)."""

    MASTER_FILE = "5"
    SECURITY_RESOURCE = "13"
