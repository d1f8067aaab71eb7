import json
from pathlib import Path

import pytest

from audit.errors import NotFound
from audit.frame.octet_counting import encode
from audit.query.message_sources import messages_of
from audit.query.validation import (
    render,
    validate_message,
    validate_sources,
)
from tests.conformance.corpus import changed, example
from tests.conformance.json_cases import QUERY, STUDY

GOOD = example("110103")
BAD = changed(GOOD, ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"'))
HEADER = b"<85>1 2026-03-01T09:30:00.000Z pacs.example pacs 815 IHE+RFC-3881 - "


def verdicts(octets: bytes) -> list[tuple[str, str]]:
    return [
        (one.source, one.verdict)
        for one in (validate_message(message) for message in messages_of("f", octets))
    ]


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (GOOD, [("f", "valid")]),
        (b"\xef\xbb\xbf" + BAD + b"\n", [("f", "invalid")]),
        (HEADER + GOOD, [("f", "valid")]),
        (HEADER + GOOD + b"\n" + HEADER + BAD + b"\n", [("f#1", "valid"), ("f#2", "invalid")]),
        (encode(HEADER + GOOD) + encode(HEADER + BAD), [("f#1", "valid"), ("f#2", "invalid")]),
        (encode(HEADER + GOOD) + encode(GOOD) + b"\n", [("f#1", "valid"), ("f#2", "valid")]),
        (encode(HEADER + GOOD) + b"rest", [("f#1", "valid"), ("f#2", "malformed")]),
        (encode(HEADER + GOOD)[:-20], [("f", "malformed")]),
        (GOOD + b"\n" + BAD, [("f#1", "valid"), ("f#2", "invalid")]),
        (b"", [("f", "malformed")]),
        (b"words", [("f", "malformed")]),
        (b"12345 words", [("f", "malformed")]),
    ],
)
def test_messages_are_found_whatever_wraps_them(
    octets: bytes, expected: list[tuple[str, str]]
) -> None:
    assert verdicts(octets) == expected


def test_a_message_cut_short_by_its_frame_is_marked_and_never_valid() -> None:
    short = b"%d " % (len(GOOD) + 50) + GOOD
    (message,) = messages_of("f", short)
    result = validate_message(message)
    assert result.verdict == "invalid"
    assert result.findings[0].rule == "message-truncated"
    (whole,) = messages_of("f", encode(GOOD))
    assert validate_message(whole).findings == ()


def test_the_json_form() -> None:
    (message,) = messages_of("sample.xml", BAD)
    told = validate_message(message).as_dict()
    assert list(told) == ["source", "dialect", "tier", "verdict", "event", "findings"]
    assert told["source"] == "sample.xml"
    assert (told["dialect"], told["tier"], told["verdict"]) == ("dicom", "none", "invalid")
    (found,) = told["findings"]
    assert set(found) == {"rule", "severity", "clause", "path", "line", "message", "fix"}


def test_files_directories_and_standard_input_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.xml").write_bytes(BAD)
    (tmp_path / "a.xml").write_bytes(GOOD)
    results = list(validate_sources([str(tmp_path), "-"], GOOD))
    assert [one.source for one in results] == [
        str(tmp_path / "a.xml"),
        str(tmp_path / "b" / "2.xml"),
        "-",
    ]
    assert [one.is_valid for one in results] == [True, False, True]
    with pytest.raises(NotFound):
        list(validate_sources([str(tmp_path / "none")]))


def test_a_person_sees_the_line_a_caret_and_the_mend() -> None:
    (message,) = messages_of("a.xml", BAD)
    lines = render(validate_message(message)).split("\n")
    assert lines[0] == "a.xml: invalid, event 110103"
    assert "[user-is-requestor, PS3.15 A.5.1]" in lines[1]
    caret = lines[3].index("^")
    assert lines[2][caret:].startswith('UserIsRequestor="TRUE"')
    assert lines[4] == "      → Write it in lower case: true or false."


def test_a_valid_message_is_one_line() -> None:
    (message,) = messages_of("a.xml", GOOD)
    assert render(validate_message(message)) == "a.xml: valid, tier dicom, event 110103"


def test_a_long_line_is_shown_around_its_fault() -> None:
    flat = BAD.replace(b"\n", b"")
    (message,) = messages_of("a.xml", flat)
    lines = render(validate_message(message)).split("\n")
    assert len(lines[2]) < 180
    caret = lines[3].index("^")
    assert lines[2][caret:].startswith('UserIsRequestor="TRUE"')


def test_nothing_of_a_message_can_steer_a_terminal() -> None:
    octets = changed(GOOD, ("AETITLES=ARCHIVE", "AETITLE=\u009b31mRED\u202e"))
    (message,) = messages_of("a.xml", octets)
    shown = render(validate_message(message))
    assert "\u009b" not in shown
    assert "\u202e" not in shown


def test_findings_without_a_line_and_text_in_utf_16_are_shown() -> None:
    (empty,) = messages_of("a", b"")
    assert "message-empty" in render(validate_message(empty))
    (wide,) = messages_of("a", GOOD.decode().encode("utf-16"))
    assert '<?xml version="1.0"' in render(validate_message(wide))


FLAT_QUERY = json.dumps(json.loads(QUERY)).encode()


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (QUERY, [("f", "valid")]),
        (b"\xef\xbb\xbf\n" + QUERY, [("f", "valid")]),
        (QUERY + b"\n" + STUDY + QUERY, [("f#1", "valid"), ("f#2", "valid"), ("f#3", "valid")]),
        (
            FLAT_QUERY + b"\n{}\r\n\n" + FLAT_QUERY,
            [("f#1", "valid"), ("f#2", "invalid"), ("f#3", "valid")],
        ),
        (FLAT_QUERY + b"\n{\nx\n", [("f#1", "valid"), ("f#2", "malformed"), ("f#3", "malformed")]),
        (HEADER + FLAT_QUERY, [("f", "valid")]),
        (encode(HEADER + QUERY) + encode(QUERY), [("f#1", "valid"), ("f#2", "valid")]),
        (b"{", [("f", "malformed")]),
    ],
)
def test_audit_events_in_json_are_found_too(
    octets: bytes, expected: list[tuple[str, str]]
) -> None:
    assert verdicts(octets) == expected


@pytest.mark.parametrize("octets", [QUERY, FLAT_QUERY])
def test_the_caret_stands_below_the_member(octets: bytes) -> None:
    wrong = octets.replace(b'"PIX|ST_ANNA"', b'"todo"')
    (message,) = messages_of("a.json", wrong)
    lines = render(validate_message(message)).split("\n")
    caret = lines[3].index("^")
    assert lines[2][caret:].startswith('"who": {')
    assert "4711" not in lines[2][caret:]
