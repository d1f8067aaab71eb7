"""Whatever a sender writes: one record is one line, and no value becomes a field of its own."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syslog_rfc5424_parser import SyslogMessage  # type: ignore[import-untyped]

from audit.frame.structured_data import parse_structured_data
from audit.frame.syslog import read_header
from audit.index.document import IndexedRecord
from audit.siem.formats import Formatter, SiemFormat, Unmappable
from audit.standards.files import read_toml
from tests.properties import examples
from tests.siem.records import corpus, formatter
from tests.siem.test_cef import KEYS, read

PARAMETERS = set(read_toml("siem/syslog.toml")["parameters"])
TOP = {
    form: {key for one in corpus().values() for key in json.loads(formatter(form).line(one))}
    | {"url"}  # of pages that a message names, where patients may be told
    for form in (SiemFormat.ECS, SiemFormat.OCSF)
}
NASTY = ["\n", "\r\n", "|", "=", "\\", '"', "]", "\x00", "\u2028", "\x85", "\ud800", "\x1b[2J"]
TEXT = st.text(max_size=6) | st.lists(
    st.sampled_from([*NASTY, " cs1=", "CEF:0|", "] [", "x"]), max_size=4
).map("".join)
CODED = st.fixed_dictionaries({"code": TEXT, "system": TEXT, "text": TEXT})
PARTICIPANT = st.fixed_dictionaries(
    {
        "user_id": TEXT,
        "alternative_user_id": st.none() | TEXT | TEXT.map("AETITLES=".__add__),
        "user_name": st.none() | TEXT,
        "is_requestor": st.booleans(),
        "roles": st.lists(
            CODED | st.just({"code": "110153", "system": "DCM", "text": ""}), max_size=2
        ),
        "address": st.none() | TEXT | st.just("https://[::1/x") | st.ip_addresses().map(str),
        "address_type": st.sampled_from([None, "1", "2", "3", "5", "9"]),
        "media": st.none() | CODED,
    }
)
OBJECT = st.fixed_dictionaries(
    {
        "id": TEXT,
        "id_type": CODED | st.just({"code": "110180", "system": "DCM", "text": ""}),
        "role": st.none() | TEXT,
        "name": st.none() | TEXT,
        "patients": st.lists(TEXT, max_size=2),
        "query": st.lists(st.tuples(TEXT, TEXT).map(list), max_size=2),
        "details": st.lists(st.fixed_dictionaries({"type": TEXT, "value": TEXT}), max_size=1),
        "accessions": st.lists(TEXT, max_size=2),
        "mpps": st.lists(TEXT, max_size=2),
        "sop_classes": st.lists(
            st.fixed_dictionaries({"uid": st.none() | TEXT, "instances": st.just(2**62)}),
            max_size=2,
        ),
        "studies": st.lists(TEXT, max_size=2),
    }
)
EVENT = st.fixed_dictionaries(
    {
        "id": CODED,
        "types": st.lists(CODED, max_size=2),
        "action": st.none() | TEXT,
        "outcome": TEXT | st.just("12"),
        "outcome_description": st.none() | TEXT,
        "purposes": st.lists(CODED, max_size=2),
    }
)
HEADER = st.fixed_dictionaries(
    dict.fromkeys(("hostname", "app_name", "procid", "msgid", "structured_data"), TEXT)
)


@st.composite
def records(draw: st.DrawFn) -> IndexedRecord:
    """A record of a message in which every text is a stranger's."""
    message = {
        "event": draw(EVENT),
        "participants": draw(st.lists(PARTICIPANT, max_size=3)),
        "objects": draw(st.lists(OBJECT, max_size=2)),
    }
    names = ("node", "site", "patient", "study", "accession", "ae")
    fields = {name: (text,) for name in names if (text := draw(TEXT))}
    like = corpus()["words"]
    body = like.body | {"header": draw(HEADER), "message": message}
    return replace(like, fields=like.fields | fields, body=body)


@given(record=records(), patients=st.booleans(), staff=st.booleans())
@examples(20)
def test_one_record_is_one_line(record: IndexedRecord, patients: bool, staff: bool) -> None:
    for form in SiemFormat:
        made = formatter(form, patients=patients, staff=staff)
        message = made.message(record)
        line = made.line(record)
        assert len(message.decode().splitlines()) == len(line.decode().splitlines()) == 1
        header = read_header(message)
        assert header.format == "rfc5424"
        if "\\" not in header.structured_data:  # theirs doesn't know a value that ends with one
            SyslogMessage.parse(message.decode())
        if form is SiemFormat.CEF:
            parts, extension = read(line.decode())
            assert {key.removesuffix("Label") for key in extension} <= KEYS
            assert len(parts) == 7
        elif form is SiemFormat.SYSLOG:
            ((name, values),) = parse_structured_data(header.structured_data)
            assert (name, values[0]) == ("arr@32473", ("id", record.id))
            assert {key for key, _ in values} <= PARAMETERS
        else:
            assert set(json.loads(line)) <= TOP[form]


def test_a_place_is_kept_for_what_cannot_be_mapped() -> None:
    odd = replace(corpus()["words"], body={"message": {"objects": [3]}})
    for form in SiemFormat:
        made: Formatter = formatter(form)
        with pytest.raises(Unmappable, match=odd.id):
            made.message(odd)
        assert odd.id.encode() in made.placeholder(odd)
