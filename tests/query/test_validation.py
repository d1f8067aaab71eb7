import json
import os
import threading
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
from tests.conformance.habits import WHOLE, old
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


def test_a_caret_stands_under_its_fault_behind_wide_and_combining_characters() -> None:
    octets = changed(BAD, ('UserName="', 'UserName="山田e\u0301'))
    (message,) = messages_of("a.xml", octets)
    lines = render(validate_message(message)).split("\n")
    before = lines[2].index("UserIsRequestor")
    assert lines[3].index("^") == before + 2 - 1  # two characters of two columns, one of none


@pytest.mark.parametrize(
    ("old", "new", "under"),
    [
        ('UserID="815"', "UserID=815", "815"),
        ("CT head", "CT &head", "&head"),
        ("CT head", "CT \x1bhead", "\ufffdhead"),
    ],
)
def test_a_caret_stands_at_what_keeps_xml_from_being_read(old: str, new: str, under: str) -> None:
    (message,) = messages_of("a.xml", changed(GOOD, (old, new)))
    lines = render(validate_message(message)).split("\n")
    assert "[xml-not-well-formed," in lines[1]
    assert (lines[1].count("column "), lines[1].count("line ")) == (1, 1)
    begin = lines[2].index(under)
    assert begin <= lines[3].index("^") <= begin + len(under)


def test_what_merely_informs_is_told_once_with_the_lines_of_the_others() -> None:
    octets = old(WHOLE.replace(b"><", b">\n<").decode()).encode()
    (message,) = messages_of("a.xml", octets)
    result = validate_message(message)
    places = [one.line for one in result.findings if one.rule == "legacy-code"]
    shown = render(result).split("\n")
    (at,) = (n for n, line in enumerate(shown) if "[legacy-code," in line)
    assert f"line {places[0]}: " in shown[at]
    listed = ", ".join(map(str, places[1:]))
    assert shown[at + 3] == f"      and {len(places) - 1} times more, in lines {listed}"


def test_every_error_and_warning_is_shown_in_its_place() -> None:
    octets = GOOD.replace(b'UserIsRequestor="true"', b'UserIsRequestor="T"').replace(
        b'UserIsRequestor="false"', b'UserIsRequestor="F"'
    )
    (message,) = messages_of("a.xml", octets)
    assert render(validate_message(message)).count("[user-is-requestor,") == 2


def test_a_tag_written_over_several_lines_is_pointed_at_where_it_begins() -> None:
    octets = BAD.replace(b'" ', b'"\n ')
    (message,) = messages_of("a.xml", octets)
    (found,) = validate_message(message).findings
    assert b'UserIsRequestor="TRUE"' in octets.split(b"\n")[found.line - 1]


def test_what_can_not_be_read_is_named_and_the_rest_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1.xml", "2.xml"):
        (tmp_path / name).write_bytes(GOOD)
    (tmp_path / "empty").mkdir()
    read = Path.read_bytes

    def locked(path: Path) -> bytes:
        if path.name == "1.xml":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", locked)
    said: list[str] = []
    paths = [str(tmp_path / "none"), str(tmp_path / "empty"), str(tmp_path)]
    results = list(validate_sources(paths, unread=said.append))
    assert [one.source for one in results] == [str(tmp_path / "2.xml")]
    assert said == [
        f"no file or directory: {tmp_path / 'none'}",
        f"no file in {tmp_path / 'empty'}",
        f"{tmp_path / '1.xml'}: Permission denied",
    ]
    with pytest.raises(NotFound, match="Permission denied"):
        list(validate_sources([str(tmp_path / "1.xml")]))


def test_hidden_files_of_a_directory_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in (".hidden", ".git/a.xml", "b.xml"):
        (tmp_path / name).write_bytes(GOOD)
    assert [one.source for one in validate_sources([str(tmp_path)])] == [str(tmp_path / "b.xml")]
    assert len(list(validate_sources([str(tmp_path / ".hidden"), str(tmp_path / ".git")]))) == 2


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(GOOD,), daemon=True)
    writer.start()
    (told,) = validate_sources([str(pipe)])
    assert told.is_valid
    writer.join(60)


def test_a_name_that_is_no_text_can_be_printed() -> None:
    (message,) = messages_of("odd\udcff.xml", GOOD)
    json.dumps(validate_message(message).as_dict(), ensure_ascii=False).encode()
    assert message.file == "odd\udcff.xml"


def test_a_caret_never_stands_under_an_attribute_of_a_longer_name() -> None:
    (message,) = messages_of("a.xml", changed(GOOD, (' UserID="815"', "")))
    lines = render(validate_message(message)).split("\n")
    assert "[grammar-attribute-missing," in lines[1]
    assert lines[2][lines[3].index("^") :].startswith("<ActiveParticipant ")


def test_a_misspelt_attribute_is_told_its_name() -> None:
    for sent, meant in (
        ("AlternativUserID", "AlternativeUserID"),
        ("alternativeuserid", "AlternativeUserID"),
        ("AlternateUserID", "AlternativeUserID"),
        ("IsRequestor", "UserIsRequestor"),
        ("Requestor", ""),
    ):
        octets = changed(GOOD, ("AlternativeUserID", sent))
        (message,) = messages_of("a.xml", octets)
        fixes = [one.fix for one in validate_message(message).findings if sent in one.message]
        wanted = f"Write {meant}, or remove" if meant else "Remove the attribute"
        assert fixes
        assert fixes[0].startswith(wanted), fixes
