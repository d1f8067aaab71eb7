"""What was asked for: the content of a ParticipantObjectQuery as readable keys and values.

Source: DICOM PS3.15 A.5.3.10; PS3.18 clauses 6 and 10 (WADO and QIDO).
"""

import re
from itertools import pairwise
from urllib.parse import parse_qsl, unquote, urlsplit

from audit.record.audit_message import ParticipantObject
from audit.record.dicom_dataset import (
    DEFAULT_LIMITS,
    DataSetLimits,
    NoDataSet,
    decode_data_set,
)

_SOP_CLASS = "110181"
_TRANSFER_SYNTAX = {"transfersyntax", "transfer syntax"}
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|/|\?|[\w.~%-]+(?:/[\w.~%-]+)*\?)\S*")
_PARTS = {
    "studies": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instances": "SOPInstanceUID",
    "patients": "PatientID",
}
_WADO = {
    "studyUID": "StudyInstanceUID",
    "seriesUID": "SeriesInstanceUID",
    "objectUID": "SOPInstanceUID",
    "patientID": "PatientID",
    "patientName": "PatientName",
}


def decode_query(
    one: ParticipantObject, limits: DataSetLimits = DEFAULT_LIMITS
) -> tuple[tuple[str, str], ...]:
    """The keys of a query and their values, in the order sent; () when it can't be told.

    The identifier of a C-FIND gives DICOM keywords (``PatientName``, nested
    ``ScheduledProcedureStepSequence.Modality``); an empty value asks for any. The URL of a QIDO,
    WADO or STOW request gives its path and its parameters. Never raises; bounded by ``limits``.
    """
    octets = one.query_octets
    if not octets:
        return ()
    if is_dicom_query(one):
        try:
            return decode_data_set(octets, transfer_syntax(one), limits)
        except NoDataSet:
            return ()
    return _of_url(octets, limits)


def is_dicom_query(one: ParticipantObject) -> bool:
    """Whether the query should be a DICOM data set: it names a SOP class or a transfer syntax."""
    return one.participant_object_id_type_code.csd_code == _SOP_CLASS or bool(transfer_syntax(one))


def transfer_syntax(one: ParticipantObject) -> str:
    """The transfer syntax UID that the object's TransferSyntax detail names, or empty."""
    for detail in one.participant_object_details:
        if detail.type.strip().casefold() in _TRANSFER_SYNTAX:
            return (detail.octets or b"").decode("ascii", errors="replace").strip(" \x00\r\n\t")
    return ""


def _of_url(octets: bytes, limits: DataSetLimits) -> tuple[tuple[str, str], ...]:
    text = octets[: limits.max_octets].decode("utf-8", errors="replace").strip()
    if len(octets) > limits.max_octets or not _URL.fullmatch(text):
        return ()
    try:
        url = urlsplit(text)
        asked = parse_qsl(url.query, keep_blank_values=True, max_num_fields=limits.max_elements)
    except ValueError:
        return ()
    pairs = [*_of_path(url.path), *((_keyword(name), value) for name, value in asked)]
    most = limits.max_value_characters
    return tuple((name[:most], value[:most]) for name, value in pairs[: limits.max_elements])


def _of_path(path: str) -> list[tuple[str, str]]:
    steps = [unquote(step) for step in path.split("/")]
    return [
        (_PARTS[step], after)
        for step, after in pairwise(steps)
        if step in _PARTS and after and after not in _PARTS
    ]


def _keyword(name: str) -> str:
    if name in _WADO:
        return _WADO[name]
    return ".".join(_keyword_of_tag(part) for part in name.split("."))


def _keyword_of_tag(part: str) -> str:
    if not _TAG.fullmatch(part):
        return part
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(int(part, 16)) or part
