"""Every record as a syslog message, read back by a parser of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syslog_rfc5424_parser import SyslogMessage  # type: ignore[import-untyped]

from audit.frame.syslog import read_header
from audit.siem.formats import SiemFormat
from audit.siem.syslog import escape_parameter
from tests.siem.records import corpus, formatter


@pytest.mark.parametrize("form", SiemFormat)
def test_every_message_is_rfc_5424(form: SiemFormat) -> None:
    for record in corpus().values():
        message = formatter(form).message(record)
        assert len(message.splitlines()) == 1
        header = read_header(message)
        assert header.format == "rfc5424"
        # Audit messages of ITI-20 have another MSGID and no structured data; these are none.
        remarks = {one.rule for one in header.remarks}
        assert not remarks - {"syslog-msgid", "syslog-structured-data"}
        parsed = SyslogMessage.parse(message.decode())
        assert parsed.facility.name == "authpriv"
        msg = message[header.msg_offset :]
        if form is SiemFormat.SYSLOG:
            assert parsed.sd["arr@32473"]["id"] == record.id
        else:
            assert msg == formatter(form).line(record)


def test_what_stands_in_the_structured_data() -> None:
    message = formatter(SiemFormat.SYSLOG).message(corpus()["110112 full"])
    known = SyslogMessage.parse(message.decode()).sd["arr@32473"]
    assert (known["event"], known["category"], known["outcome"]) == ("110112", "query", "failure")
    assert b' ae="ARCHIVE" ae="CT1" ' in message
    assert message.startswith(b"<84>1 2026-")


@given(st.text())
def test_no_text_breaks_a_parameter(text: str) -> None:
    value = escape_parameter(text.encode("utf-8", "replace").decode())
    raw = f'<85>1 - h a - - [x@1 p="{value}" q="1"] end'.encode()
    header = read_header(raw)
    assert raw[header.msg_offset :] == b"end"
    assert header.structured_data.endswith('q="1"]')
    assert len(raw.splitlines()) == 1
