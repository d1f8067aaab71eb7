"""C-FIND identifiers, encoded as implicit VR little endian (PS3.5 A.1), in base64."""

from base64 import b64encode
from struct import pack

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
WORKLIST_FIND = "1.2.840.10008.5.1.4.31"

_CHARACTER_SET = (0x0008, 0x0005)
_STUDY_DATE = (0x0008, 0x0020)
_ACCESSION = (0x0008, 0x0050)
_LEVEL = (0x0008, 0x0052)
_PATIENT_NAME = (0x0010, 0x0010)
_PATIENT_ID = (0x0010, 0x0020)
_STUDY_UID = (0x0020, 0x000D)
_STEP_SEQUENCE = (0x0040, 0x0100)
_STEP_AE = (0x0040, 0x0001)
_STEP_DATE = (0x0040, 0x0002)
_ITEM = (0xFFFE, 0xE000)

Element = tuple[tuple[int, int], bytes]


def _element(tag: tuple[int, int], value: bytes) -> bytes:
    return pack("<HHI", *tag, len(value)) + value


def _text(value: str) -> bytes:
    octets = value.encode()
    return octets + b" " * (len(octets) % 2)


def _uid(value: str) -> bytes:
    octets = value.encode("ascii")
    return octets + b"\0" * (len(octets) % 2)


def _encoded(*elements: Element) -> str:
    return b64encode(b"".join(_element(*element) for element in elements)).decode("ascii")


def study_query(*, patient_id: str = "", patient_name: str = "", study_date: str = "") -> str:
    """A study-level query by what is given; the other keys are asked for (empty)."""
    return _encoded(
        (_CHARACTER_SET, _text("ISO_IR 192")),
        (_STUDY_DATE, _text(study_date)),
        (_ACCESSION, b""),
        (_LEVEL, _text("STUDY")),
        (_PATIENT_NAME, _text(patient_name)),
        (_PATIENT_ID, _text(patient_id)),
        (_STUDY_UID, b""),
    )


def worklist_query(ae_title: str, date: str) -> str:
    """What a modality asks: the steps of a day for its own AE title."""
    step = _element(_STEP_AE, _text(ae_title)) + _element(_STEP_DATE, _text(date))
    return _encoded(
        (_CHARACTER_SET, _text("ISO_IR 192")),
        (_ACCESSION, b""),
        (_PATIENT_NAME, b""),
        (_PATIENT_ID, b""),
        (_STUDY_UID, _uid("")),
        (_STEP_SEQUENCE, _element(_ITEM, step)),
    )
