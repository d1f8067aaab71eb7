import pytest

from audit.frame.structured_data import end_of_structured_data, parse_structured_data


@pytest.mark.parametrize(
    ("raw", "end", "well_formed"),
    [
        (b"- <x/>", 1, True),
        (b"-", 1, True),
        (b"[a] <x/>", 3, True),
        (b'[a b="\\]"] <x/>', 10, True),
        (b'[a b="]"] <x/>', 9, False),
        (b"[a b=c] <x/>", 7, False),
        (b"[a<x/>", 6, False),
        (b"[a b c", 2, False),
        (b"-<x/>", 1, False),
        (b"<x/>", 0, False),
    ],
)
def test_where_it_ends(raw: bytes, end: int, well_formed: bool) -> None:
    assert end_of_structured_data(b"??" + raw, 2) == (end + 2, well_formed)


def test_escapes_are_undone_and_other_backslashes_stay() -> None:
    text = r'[id@1 a="\"\\\]" b="C:\temp"][two]'
    assert parse_structured_data(text) == (
        ("id@1", (("a", '"\\]'), ("b", r"C:\temp"))),
        ("two", ()),
    )
    assert parse_structured_data("-") == ()
