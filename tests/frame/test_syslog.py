import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from syslog_rfc5424_parser import ParseError, SyslogMessage  # type: ignore[import-untyped]

from audit.frame.structured_data import parse_structured_data
from audit.frame.syslog import SyslogHeader, format_message, read_header
from audit.standards import rules
from tests.properties import examples

XML = b'<?xml version="1.0"?><AuditMessage/>'
USUAL = b"<85>1 2026-03-01T09:30:00.123Z host.example app 4711 IHE+RFC-3881 - "


def remarked(header: SyslogHeader) -> list[str]:
    return [remark.rule for remark in header.remarks]


def test_the_usual_header_has_no_remark() -> None:
    header = read_header(USUAL + XML)
    assert header == SyslogHeader(
        format="rfc5424",
        priority=85,
        facility=10,
        severity=5,
        version=1,
        timestamp="2026-03-01T09:30:00.123Z",
        hostname="host.example",
        app_name="app",
        procid="4711",
        msgid="IHE+RFC-3881",
        structured_data="-",
        msg_offset=len(USUAL),
    )


CASES = {
    "facility not audit": (b"<14>1 2026-03-01T09:30:00Z h a p IHE+RFC-3881 - ", ["syslog-pri"]),
    "PRI too large": (b"<999>1 2026-03-01T09:30:00Z h a p IHE+RFC-3881 - ", ["syslog-pri"]),
    "PRI with zero": (b"<085>1 2026-03-01T09:30:00Z h a p IHE+RFC-3881 - ", ["syslog-pri"]),
    "nil fields": (b"<85>1 - - - - DICOM+RFC3881 - ", []),
    "7 digits": (
        b"<85>1 2026-03-01T09:30:00.1234567Z h a p IHE+RFC-3881 - ",
        ["syslog-timestamp"],
    ),
    "no zone": (b"<85>1 2026-03-01T09:30:00 h a p IHE+RFC-3881 - ", ["syslog-timestamp"]),
    "leap second": (b"<85>1 2026-12-31T23:59:60Z h a p IHE+RFC-3881 - ", ["syslog-timestamp"]),
    "version": (
        b"<85>2 2026-03-01T09:30:00Z h a p IHE+RFC-3881 - ",
        ["syslog-header-malformed"],
    ),
    "spaces": (
        b"<85>1 2026-03-01T09:30:00Z h  a p IHE+RFC-3881 - ",
        ["syslog-header-malformed"],
    ),
    "long app name": (
        b"<85>1 2026-03-01T09:30:00Z h " + b"a" * 49 + b" p IHE+RFC-3881 - ",
        ["syslog-header-field"],
    ),
    "umlaut": (
        "<85>1 2026-03-01T09:30:00Z köln a p IHE+RFC-3881 - ".encode(),
        ["syslog-header-field"],
    ),
    "msgid": (b"<85>1 2026-03-01T09:30:00Z h a p IHE+DICOM - ", ["syslog-msgid"]),
    "structured data": (
        b'<85>1 2026-03-01T09:30:00Z h a p IHE+RFC-3881 [x@1 k="v\\]\\""][y] ',
        ["syslog-structured-data"],
    ),
    "malformed structured data": (
        b'<85>1 2026-03-01T09:30:00Z h a p IHE+RFC-3881 [x k="v] ',
        ["syslog-structured-data"],
    ),
    "no structured data": (
        b"<85>1 2026-03-01T09:30:00Z h a p IHE+RFC-3881 ",
        ["syslog-structured-data"],
    ),
    "count in front": (b"512 " + USUAL, ["syslog-header-malformed"]),
    "BOM in front": (b"\xef\xbb\xbf" + USUAL, ["syslog-header-malformed"]),
}


@pytest.mark.parametrize("name", CASES)
def test_oddities_are_remarked_on_and_msg_is_found(name: str) -> None:
    head, rule_ids = CASES[name]
    header = read_header(head + XML)
    assert header.format == "rfc5424"
    assert remarked(header) == rule_ids
    assert (head + XML)[header.msg_offset :] == XML


def test_a_byte_order_mark_belongs_to_msg() -> None:
    raw = USUAL + b"\xef\xbb\xbf" + XML
    header = read_header(raw)
    assert header.has_bom
    assert remarked(header) == ["syslog-bom"]
    assert raw[header.msg_offset :] == b"\xef\xbb\xbf" + XML


def test_a_message_larger_than_all_must_take_is_remarked_on() -> None:
    assert remarked(read_header(USUAL + b"x" * 32768)) == ["syslog-size"]
    assert not remarked(read_header(USUAL + b"x" * (32768 - len(USUAL))))


@pytest.mark.parametrize(
    ("head", "hostname", "app_name", "procid"),
    [
        (b"<85>Mar  1 09:30:00 host app[4711]: ", "host", "app", "4711"),
        (b"<85>Mar 01 09:30:00 host app: ", "host", "app", ""),
        (b"<85>Mar  1 09:30:00 app: ", "", "app", ""),
        (b"<85>Mar  1 09:30:00 10.0.0.7 ", "10.0.0.7", "", ""),
        (b"<85>Mar  1 09:30:00 ", "", "", ""),
    ],
)
def test_the_older_header(head: bytes, hostname: str, app_name: str, procid: str) -> None:
    header = read_header(head + XML)
    assert (header.format, header.facility, header.severity) == ("rfc3164", 10, 5)
    assert (header.hostname, header.app_name, header.procid) == (hostname, app_name, procid)
    assert header.msg_offset == len(head)
    assert remarked(header) == ["syslog-header-rfc3164"]


@pytest.mark.parametrize(
    ("raw", "msg", "words"),
    [
        (b"<85>1 2026-03-01T09:30:00Z host " + XML, XML, "ends inside APP-NAME"),
        (b"<85>" + XML, XML, "PRI and VERSION"),
        (b"<85> just words", b"just words", "PRI and VERSION"),
        (b"<85>", b"", "PRI and VERSION"),
        (b"<85>1 2026 h a " + XML, XML, "TIMESTAMP"),
    ],
)
def test_a_broken_header_is_explained(raw: bytes, msg: bytes, words: str) -> None:
    header = read_header(raw)
    assert raw[header.msg_offset :] == msg
    assert header.priority == 85
    assert remarked(header) == ["syslog-header-malformed"]
    assert words in header.remarks[0].message


@pytest.mark.parametrize("raw", [XML, b"", b"\xef\xbb\xbf" + XML, b"\x00\xff", b"<85", b"<x>1 "])
def test_no_header(raw: bytes) -> None:
    header = read_header(raw)
    assert (header.format, header.priority, header.msg_offset) == ("none", None, 0)
    assert remarked(header)[0] == "syslog-header-missing"


@given(st.binary(max_size=200) | st.text(alphabet='<85>1 -[]"\\=aZ:2026T').map(str.encode))
@examples(80)
def test_nothing_raises_and_every_remark_has_a_rule(raw: bytes) -> None:
    header = read_header(raw)
    assert 0 <= header.msg_offset <= len(raw)
    for remark in header.remarks:
        assert rules.rule(remark.rule).id == remark.rule


printable = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
values = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(alphabet="abcXYZ019@.-_", min_size=1, max_size=32)
elements = st.lists(
    st.tuples(names, st.lists(st.tuples(names, values), max_size=3).map(tuple)),
    max_size=3,
    unique_by=lambda element: element[0],
)


def independently_parsed(text: str) -> Any:
    try:
        return SyslogMessage.parse(text)
    except (ParseError, ValueError):
        return None


def written(data: list[tuple[str, tuple[tuple[str, str], ...]]]) -> str:
    def escape(value: str) -> str:
        return re.sub(r'(["\\\]])', r"\\\1", value)

    return "".join(
        "[" + " ".join([name, *(f'{key}="{escape(value)}"' for key, value in pairs)]) + "]"
        for name, pairs in data
    )


@given(
    priority=st.integers(0, 191),
    time=st.datetimes(timezones=st.just(UTC)),
    fields=st.tuples(printable, printable, printable, printable),
    data=elements,
    msg=st.text(max_size=30),
)
@examples(30)
def test_well_formed_headers_are_read_as_an_independent_parser_does(
    priority: int,
    time: datetime,
    fields: tuple[str, str, str, str],
    data: list[tuple[str, tuple[tuple[str, str], ...]]],
    msg: str,
) -> None:
    hostname, app_name, procid, msgid = (field.replace("<", "l") for field in fields)
    assume(len(app_name) <= 48 and len(msgid) <= 32)
    structured = written(data) or "-"
    parts = (time.isoformat(), hostname, app_name, procid, msgid, structured, msg)
    text = f"<{priority}>1 " + " ".join(parts)
    oracle = independently_parsed(text)
    assume(oracle is not None)
    header = read_header(text.encode())
    assert header.format == "rfc5424"
    assert (header.facility, header.severity) == (oracle.facility.value, oracle.severity.value)
    assert (header.timestamp, header.hostname) == (oracle.timestamp, oracle.hostname)
    assert (header.app_name, header.msgid) == (oracle.appname, oracle.msgid)
    assert header.procid == str(oracle.procid) or int(header.procid) == oracle.procid
    assert text.encode()[header.msg_offset :].decode() == (oracle.msg or "")
    found = dict(parse_structured_data(header.structured_data))
    assert list(found) == list(oracle.sd)
    assert all(dict(pairs).keys() == oracle.sd[name].keys() for name, pairs in found.items())


@given(elements)
def test_structured_data_round_trip(
    data: list[tuple[str, tuple[tuple[str, str], ...]]],
) -> None:
    assert parse_structured_data(written(data)) == tuple(data)


@given(
    severity=st.integers(0, 7),
    text=st.text(max_size=300),
    time=st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    ),
    msg=st.binary(max_size=40),
)
def test_what_we_format_is_well_formed_whatever_is_passed(
    severity: int, text: str, time: datetime, msg: bytes
) -> None:
    raw = format_message(
        severity=severity, hostname=text, app_name=text, procid=text, timestamp=time, msg=msg
    )
    header = read_header(raw)
    assert (header.format, header.facility, header.severity) == ("rfc5424", 10, severity)
    assert raw[header.msg_offset :] == msg
    assert set(remarked(header)) <= {"syslog-bom"}
    assert abs(datetime.fromisoformat(header.timestamp) - time) < timedelta(milliseconds=1)


def test_format_refuses_what_would_be_wrong() -> None:
    def form(severity: int, timestamp: datetime) -> bytes:
        return format_message(
            severity=severity,
            hostname="h",
            app_name="a",
            procid="p",
            timestamp=timestamp,
            msg=b"",
        )

    with pytest.raises(ValueError, match="aware"):
        form(5, datetime(2026, 3, 1))  # noqa: DTZ001 - naive on purpose
    with pytest.raises(ValueError, match="severity"):
        form(8, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "hostile",
    [
        b"<85>1 " + b"a" * 100_000,
        b"<85>1 " + b"a " * 50_000,
        b"<85>1 - - - - - " + b"[" * 100_000,
        b'<85>1 - - - - - [a b="' + b"\\" * 100_000,
        b'<85>1 - - - - - [a b="' + b'x" c="' * 20_000,
        b"<85>Mar  1 09:30:00 " + b"x" * 100_000,
        b"<85>" + b" " * 100_000,
        b"1" * 100_000,
        b"\n" * 100_000,
    ],
)
@pytest.mark.timeout(2)
def test_hostile_headers_take_no_time(hostile: bytes) -> None:
    read_header(hostile)
