import pytest

from audit.record.assess import assess
from audit.record.xml_input import DEFAULT_LIMITS, Refused, prepare, raw_text
from tests.conformance.corpus import changed, example

GOOD = example("110103")


def rules(octets: bytes) -> list[str]:
    return [one.rule for one in assess(octets).findings]


def test_a_byte_order_mark_is_no_finding() -> None:
    assert rules(b"\xef\xbb\xbf" + GOOD) == []
    assert rules(b"\xef\xbb\xbf\xef\xbb\xbf" + GOOD) == []


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_is_read_with_a_warning(codec: str) -> None:
    octets = ("\ufeff" + GOOD.decode()).encode(codec)
    assert rules(octets) == ["encoding-not-utf-8"]
    message = assess(octets).message
    assert message is not None
    assert message.participant_objects[1].participant_object_name == "Müller^Anna"


@pytest.mark.parametrize("name", ["ISO-8859-1", "iso-8859-15", "windows-1252", "latin1"])
def test_a_tolerated_encoding_is_read_with_a_warning(name: str) -> None:
    octets = changed(GOOD, ("UTF-8", name)).decode().encode("cp1252")
    assert rules(octets) == ["encoding-not-utf-8"]
    message = assess(octets).message
    assert message is not None
    assert message.participant_objects[1].participant_object_name == "Müller^Anna"


@pytest.mark.parametrize("name", ["utf8", "US-ASCII", "UTF-8"])
def test_names_of_utf_8_are_fine(name: str) -> None:
    octets = changed(GOOD, ("UTF-8", name), ("Müller", "Mueller"))
    assert rules(octets) == []


def test_a_message_in_utf_8_that_calls_itself_otherwise_is_read_as_it_is() -> None:
    assert rules(changed(GOOD, ("UTF-8", "utf-16"))) == ["encoding-conflict"]
    marked = b"\xef\xbb\xbf" + changed(GOOD, ("UTF-8", "ISO-8859-1"))
    assert rules(marked) == ["encoding-conflict"]
    message = assess(marked).message
    assert message is not None
    assert message.participant_objects[1].participant_object_name == "Müller^Anna"


def test_utf_16_may_call_itself_so() -> None:
    octets = changed(GOOD, ("UTF-8", "UTF-16")).decode().encode("utf-16")
    assert rules(octets) == ["encoding-not-utf-8"]


@pytest.mark.parametrize("octets", [b"", b"   ", b"\x00\x00", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_nothing_is_refused_as_empty(octets: bytes) -> None:
    with pytest.raises(Refused) as refused:
        prepare(octets, DEFAULT_LIMITS)
    assert refused.value.finding.rule == "message-empty"


def test_a_processing_instruction_or_a_comment_that_does_not_end_is_left_to_the_parser() -> None:
    assert rules(b"<?pi <!DOCTYPE") == ["xml-not-well-formed"]
    assert rules(b"<!-- <!DOCTYPE") == ["xml-not-well-formed"]


def test_raw_text_never_holds_what_could_steer_a_terminal() -> None:
    assert raw_text(b"a\x1b[2Jb\x00c\td\ne\x9b") == "a\ufffd[2Jb\ufffdc\td\ne\ufffd"
    assert raw_text("ü".encode() * 50_000).count("ü") == 32 * 1024
