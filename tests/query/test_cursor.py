import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.index.port import Place
from audit.query.cursor import Cursor, InvalidCursor, query_digest, seal, unseal

KEY = bytes(range(32))
DIGEST = query_digest("user:jdoe")
CURSOR = Cursor(Place(1_780_000_000_000_000_000, 4711), 5000, 1_780_000_000_000_000_001)
U64 = st.integers(0, 2**63 - 1)


@given(U64, U64, U64, U64)
def test_a_cursor_comes_back(time: int, sequence: int, snapshot: int, asked_at: int) -> None:
    cursor = Cursor(Place(time, sequence), snapshot, asked_at)
    text = seal(cursor, DIGEST, KEY)
    assert unseal(text, DIGEST, KEY) == cursor
    assert len(text) <= 100
    assert text.replace("-", "").replace("_", "").isalnum()


def test_a_cursor_of_another_query_or_key_is_refused() -> None:
    text = seal(CURSOR, DIGEST, KEY)
    with pytest.raises(InvalidCursor, match="another query"):
        unseal(text, query_digest("user:other"), KEY)
    with pytest.raises(InvalidCursor, match="isn't valid"):
        unseal(text, DIGEST, bytes(32))


def test_every_altered_character_is_noticed() -> None:
    text = seal(CURSOR, DIGEST, KEY)
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        altered = text[:place] + other + text[place + 1 :]
        if place < len(text) - 1:  # the last character holds unused bits
            with pytest.raises(InvalidCursor):
                unseal(altered, DIGEST, KEY)


@pytest.mark.parametrize("text", ["", "x", "ä", "=" * 10, "A" * 81, "A" * 10_000, "\ud800"])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidCursor):
        unseal(text, DIGEST, KEY)


@given(st.text(max_size=120))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        unseal(text, DIGEST, KEY)
