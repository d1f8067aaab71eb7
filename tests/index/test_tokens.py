"""Tokens of the inverted index."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.index import tokens
from audit.index.criteria import fold
from audit.index.document import IndexedRecord
from tests.index.records import HUGE, LONG
from tests.index.records import records as random_records

any_text = st.text(max_size=600)


@given(any_text)
def test_escaping_can_be_undone_and_hides_separators(text: str) -> None:
    escaped = tokens.escaped(text)
    assert tokens.unescaped(escaped) == text
    assert tokens.SEPARATOR not in escaped
    assert "\x00" not in escaped


@given(st.characters(codec="utf-8"), st.characters(codec="utf-8"))
def test_escaping_keeps_the_order_of_characters(one: str, other: str) -> None:
    assert (tokens.escaped(one) < tokens.escaped(other)) == (one < other)


def test_lone_surrogates_are_escaped() -> None:
    assert tokens.unescaped(tokens.escaped("a\ud800b")) == "a\ud800b"
    tokens.key_token("user", "\ud800").encode()


@given(any_text, any_text)
def test_tokens_are_equal_when_folded_values_are(one: str, other: str) -> None:
    same = tokens.key_token("user", one) == tokens.key_token("user", other)
    assert same == (fold(one) == fold(other))


@given(any_text, st.integers(0, 20))
def test_the_token_of_a_prefix_begins_the_token(text: str, size: int) -> None:
    folded = fold(text)
    begin, exact = tokens.value_prefix_token("user", folded[:size])
    assert exact
    if fold(folded[:size]) == folded[:size]:
        assert tokens.key_token("user", text).startswith(begin)


def test_long_values_differ_by_their_last_character() -> None:
    one, other = (tokens.key_token("user", HUGE + tail) for tail in "12")
    assert one != other
    assert len(one.encode()) < 1024
    assert tokens.value_prefix_token("user", LONG + "y") == ("user:" + LONG, False)


def test_long_words_fit_into_lucene() -> None:
    (token,) = tokens.word_tokens("\U00010400" * 300)
    assert len(token.encode("utf-16-le")) // 2 <= 255
    assert tokens.word_tokens("x" * 90) == ("x" * 90,)


@pytest.mark.parametrize("name", ["", "User", "a:b", "a b", "1a", "a\n"])
def test_what_can_not_be_a_field_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="field"):
        tokens.key_token(name, "x")


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_networks_of_version_4(address: object, length: int) -> None:
    network = ip_network(f"{address}/{length}", strict=False)
    check_network(str(network.network_address), str(network))
    check_network(str(network.broadcast_address), str(network))


@given(st.ip_addresses(v=6), st.ip_addresses(v=6), st.integers(0, 128))
def test_networks_of_version_6(one: object, other: object, length: int) -> None:
    check_network(str(other), str(ip_network(f"{one}/{length}", strict=False)))


def check_network(address: str, network: str) -> None:
    prefixes = tokens.network_prefixes(ip_network(network))
    token = tokens.address_token(address)
    assert token is not None
    assert token.startswith(prefixes) == (ip_address(address) in ip_network(network))
    assert len(prefixes) <= 8


@given(random_records(least=1, most=1))
def test_words_and_keys_are_never_taken_for_each_other(held: list[IndexedRecord]) -> None:
    made = tokens.tokens_of(held[0])
    assert tokens.ALL in made
    assert tokens.NONE not in made
    words = {w for v in held[0].values("text") for w in tokens.word_tokens(v)}
    assert words <= made
    assert not any(":" in word for word in words)


def test_presence_is_told_by_what_is_rarer() -> None:
    record = IndexedRecord(
        id="a-1", sequence=1, time=0, received=0, fields={"patient": ("1",), "odd": ("x",)}
    )
    made = tokens.tokens_of(record)
    assert {"?patient:", "?odd:", "!user:", "!text:"} <= made
    assert "!patient:" not in made
    assert tokens.presence_token("user") == ("!user:", False)
    assert tokens.presence_token("patient") == ("?patient:", True)
