import zlib
from base64 import b64encode
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from audit.record.audit_message import CodedValue, ParticipantObject, ParticipantObjectDetail
from audit.record.dicom_dataset import (
    DEFLATED_LE,
    EXPLICIT_BE,
    IMPLICIT_LE,
    DataSetLimits,
    NoDataSet,
    decode_data_set,
    looks_like_data_set,
)
from audit.record.query_content import decode_query
from tests.properties import examples

EXPLICIT_LE = "1.2.840.10008.1.2.1"


def identifier() -> Dataset:
    asked = Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    asked.QueryRetrieveLevel = "STUDY"
    asked.PatientName = "Müller^Jörg*"
    asked.PatientID = "123"
    asked.StudyDate = "20260101-"
    asked.ModalitiesInStudy = ["CT", "MR"]
    asked.StudyInstanceUID = ""
    asked.Rows = 5
    asked.add_new(0x00191001, "LO", "private")
    step = Dataset()
    step.Modality = "CT"
    step.ScheduledStationAETitle = "CT1"
    asked.ScheduledProcedureStepSequence = [step]
    asked.ProcedureCodeSequence = []
    return asked


PAIRS = (
    ("SpecificCharacterSet", "ISO_IR 192"),
    ("StudyDate", "20260101-"),
    ("QueryRetrieveLevel", "STUDY"),
    ("ModalitiesInStudy", "CT\\MR"),
    ("ProcedureCodeSequence", ""),
    ("PatientName", "Müller^Jörg*"),
    ("PatientID", "123"),
    ("(0019,1001)", "private"),
    ("StudyInstanceUID", ""),
    ("Rows", "5"),
    ("ScheduledProcedureStepSequence.Modality", "CT"),
    ("ScheduledProcedureStepSequence.ScheduledStationAETitle", "CT1"),
)


def encoded(asked: Dataset, syntax: str, *, undefined: bool = False) -> bytes:
    sequence = asked["ScheduledProcedureStepSequence"]
    sequence.is_undefined_length = undefined
    sequence.value[0].is_undefined_length_sequence_item = undefined
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax == IMPLICIT_LE
    buffer.is_little_endian = syntax != EXPLICIT_BE
    write_dataset(buffer, asked)
    octets = buffer.getvalue()
    if syntax == DEFLATED_LE:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return packer.compress(octets) + packer.flush()
    return octets


def queried(
    octets: bytes, *, kind: str = "110181", syntax: str = "", detail: str = "TransferSyntax"
) -> ParticipantObject:
    named = ParticipantObjectDetail(detail, b64encode(syntax.encode()).decode())
    return ParticipantObject(
        participant_object_id="1.2.840.10008.5.1.4.1.2.2.1",
        participant_object_id_type_code=CodedValue(kind, "DCM", "x"),
        participant_object_query=b64encode(octets).decode(),
        participant_object_details=(named,) if syntax else (),
    )


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE])
@pytest.mark.parametrize("undefined", [False, True])
def test_an_identifier_is_read_in_each_transfer_syntax(syntax: str, undefined: bool) -> None:
    octets = encoded(identifier(), syntax, undefined=undefined)
    assert decode_query(queried(octets, syntax=syntax)) == PAIRS
    assert looks_like_data_set(octets, syntax)


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, EXPLICIT_LE])
def test_without_a_transfer_syntax_it_is_guessed(syntax: str) -> None:
    assert decode_query(queried(encoded(identifier(), syntax))) == PAIRS


def test_a_transfer_syntax_alone_makes_a_query_dicom() -> None:
    octets = encoded(identifier(), EXPLICIT_LE)
    asked = queried(octets, kind="9", syntax=EXPLICIT_LE + " \x00", detail="Transfer Syntax")
    assert decode_query(asked) == PAIRS


def test_a_whole_file_with_meta_information_is_read() -> None:
    asked = identifier()
    asked.file_meta = FileMetaDataset()
    asked.file_meta.TransferSyntaxUID = IMPLICIT_LE  # type: ignore[assignment]
    asked.file_meta.MediaStorageSOPClassUID = "1.2.3"  # type: ignore[assignment]
    asked.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"  # type: ignore[assignment]
    buffer = BytesIO()
    dcmwrite(buffer, asked, enforce_file_format=True)
    assert decode_query(queried(buffer.getvalue())) == PAIRS
    assert looks_like_data_set(buffer.getvalue(), "")


def test_values_of_every_kind_are_shown() -> None:
    asked = Dataset()
    asked.add_new(0x00731001, "US", [1, 2])
    asked.FrameIncrementPointer = [0x00181063]
    asked.add_new(0x00281052, "DS", "1.5")
    asked.add_new(0x00189306, "FD", 0.5)
    asked.add_new(0x00420011, "OB", b"\x01\x02")
    asked.add_new(0x00091001, "UN", b"a\x01\xff")
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    write_dataset(buffer, asked)
    assert dict(decode_data_set(buffer.getvalue(), EXPLICIT_LE)) == {
        "(0009,1001)": "a\ufffd\ufffd",
        "SingleCollimationWidth": "0.5",
        "FrameIncrementPointer": "(0018,1063)",
        "RescaleIntercept": "1.5",
        "EncapsulatedDocument": "01 02",
        "(0073,1001)": "1\\2",
    }


@pytest.mark.parametrize(
    ("charset", "octets", "shown"),
    [
        ("ISO_IR 100", "Müller".encode("latin-1"), "Müller"),
        ("\\ISO 2022 IR 87", b"A^\x1b$B;3ED\x1b(B", "A^山田"),
        ("nonsense", "Müller".encode("latin-1"), "Müller"),
    ],
)
def test_text_is_decoded_by_its_character_set(charset: str, octets: bytes, shown: str) -> None:
    def element(tag: bytes, vr: bytes, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        return tag + vr + len(value).to_bytes(2, "little") + value

    data = element(b"\x08\x00\x05\x00", b"CS", charset.encode())
    data += element(b"\x10\x00\x10\x00", b"PN", octets)
    assert dict(decode_data_set(data, EXPLICIT_LE))["PatientName"] == shown


def test_each_limit_holds() -> None:
    octets = encoded(identifier(), EXPLICIT_LE)
    for limits in (
        DataSetLimits(max_octets=20),
        DataSetLimits(max_elements=3),
        DataSetLimits(max_depth=0),
    ):
        assert decode_query(queried(octets, syntax=EXPLICIT_LE), limits) == ()
    deflated = encoded(identifier(), DEFLATED_LE)
    assert (
        decode_query(queried(deflated, syntax=DEFLATED_LE), DataSetLimits(max_inflated_octets=50))
        == ()
    )
    short = decode_query(
        queried(octets, syntax=EXPLICIT_LE), DataSetLimits(max_value_characters=4)
    )
    assert dict(short)["PatientName"] == "Mül…"


def test_a_deflate_bomb_is_refused() -> None:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(b"\x00" * 50_000_000) + packer.flush()
    assert decode_query(queried(bomb, syntax=DEFLATED_LE)) == ()


ITEM = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
SEQUENCE = b"\x08\x00\x11\x11\xff\xff\xff\xff"


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00",
        b"\x08\x00\x05\x00",
        b"\x10\x00\x10\x00PN\xff\xff",
        b"\x10\x00\x10\x00??\x00\x00",
        b"\x10\x00\x10\x00PN\x00\x00\x08\x00\x05\x00CS\x00\x00",
        (SEQUENCE + ITEM) * 100,
        SEQUENCE,
        SEQUENCE + ITEM,
        SEQUENCE + b"\x10\x00\x10\x00\x00\x00\x00\x00",
        b"not a data set at all, but some words",
        b"\xff" * 64,
    ],
)
def test_what_is_no_data_set_gives_nothing(octets: bytes) -> None:
    assert decode_query(queried(octets, syntax=IMPLICIT_LE)) == ()
    with pytest.raises(NoDataSet):
        decode_data_set(octets, EXPLICIT_LE)


@examples(30)
@given(
    st.binary(max_size=300),
    st.sampled_from(["", IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE]),
)
@example(b"\x00" * 128 + b"DICM", "")
@example(b"\x00" * 128 + b"DICM\x02\x00\x10\x00UI\x04\x00", "")
def test_no_octets_raise(octets: bytes, syntax: str) -> None:
    decode_query(queried(octets, syntax=syntax))
    looks_like_data_set(octets, syntax)


@examples(20)
@given(st.integers(0, 400), st.integers(0, 255))
def test_no_change_of_an_octet_raises(place: int, value: int) -> None:
    octets = bytearray(encoded(identifier(), EXPLICIT_LE, undefined=True))
    octets[place % len(octets)] = value
    decode_query(queried(bytes(octets), syntax=EXPLICIT_LE))


@pytest.mark.parametrize(
    ("url", "pairs"),
    [
        (
            "https://pacs.example/rs/studies?PatientName=SMITH*&00100020=4%207&limit=",
            (("PatientName", "SMITH*"), ("PatientID", "4 7"), ("limit", "")),
        ),
        (
            "/rs/studies/1.2.3/series/4.5/instances?SOPClassUID=6",
            (("StudyInstanceUID", "1.2.3"), ("SeriesInstanceUID", "4.5"), ("SOPClassUID", "6")),
        ),
        (
            "?requestType=WADO&studyUID=1.2&seriesUID=3&objectUID=4",
            (
                ("requestType", "WADO"),
                ("StudyInstanceUID", "1.2"),
                ("SeriesInstanceUID", "3"),
                ("SOPInstanceUID", "4"),
            ),
        ),
        (
            "studies?00400100.00080060=CT&FFFFFFFF=1",
            (("ScheduledProcedureStepSequence.Modality", "CT"), ("FFFFFFFF", "1")),
        ),
        ("<AdhocQueryRequest/>", ()),
        ("MSH|^~\\&|a", ()),
        ("https://[::1/studies?a=b", ()),
        ("/studies?" + "&".join(["a=b"] * 600), ()),
        ("/studies?a=" + "b" * 70_000, ()),
        ("", ()),
    ],
)
def test_a_url_gives_its_path_and_parameters(url: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert decode_query(queried(url.encode(), kind="12")) == pairs


def test_what_is_not_base64_or_not_there_gives_nothing() -> None:
    kind = CodedValue("12", "RFC-3881", "URI")
    for query in (None, "", "%%%"):
        one = ParticipantObject(
            participant_object_id="a",
            participant_object_id_type_code=kind,
            participant_object_query=query,
        )
        assert decode_query(one) == ()
