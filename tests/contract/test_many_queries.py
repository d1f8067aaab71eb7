"""Random questions in the query language: both forms of the embedded index answer as a scan does.

Each question is made as text and, apart from the parser, as what it means. The long run asks
100,000 of them.
"""

import os
from dataclasses import dataclass
from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.index.criteria import (
    And,
    Criteria,
    Exists,
    InNetwork,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Text,
    words_of,
)
from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex
from audit.query.language import parse_query
from audit.query.language_terms import allowed_values
from audit.record.times import format_ns
from tests.contract.paging import all_pages
from tests.index import records as made
from tests.index.records import MONTH_START, scanned

IS_LONG = bool(os.environ.get("ARR_LONG"))
EXAMPLES, QUESTIONS = (1_000, 50) if IS_LONG else (10, 10)


@dataclass(frozen=True)
class Asked:
    """A question as text, and what it means."""

    text: str
    means: Criteria


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


named = st.sampled_from(("user", "patient", "address", "repeat_of"))
stems = st.sampled_from(("m", "Mul", "muller", "1", "1.2.840", "10.0.", "É", "ß", "a", "fe80"))
kinds = st.sampled_from(sorted(allowed_values()["category"] & {"query", "access", "export"}))
lone_words = st.sampled_from(("chest", "Thorax", "café", "CAFE", "17", "of", "x-ray", "É", "SS"))


@st.composite
def exact(draw: st.DrawFn) -> Asked:
    field = draw(named)
    value = draw(made.any_values.filter(lambda one: bool(one.strip())))
    if field == "address":
        value = draw(st.sampled_from(("10.0.0.1", "node.example.org", "300.1.1.1")))
    return Asked(f"{field}:{_quoted(value)}", Term(field, value))


def _times(low: int, high: int) -> Asked:
    text = f"time:{format_ns(low)}..{format_ns(high)}"
    return Asked(text, Range("time", low, high + 1))


leaves: st.SearchStrategy[Asked] = st.one_of(
    exact(),
    st.builds(lambda f, stem: Asked(f"{f}:{stem}*", Prefix(f, stem)), named, stems),
    st.builds(lambda f: Asked(f"has:{f}", Exists(f)), named),
    st.builds(lambda f: Asked(f"{f}:*", Exists(f)), named),
    st.builds(lambda kind: Asked(f"category:{kind}", Term("category", kind)), kinds),
    st.builds(lambda word: Asked(word, Text(word)), lone_words),
    st.builds(
        lambda text: Asked(_quoted(text), Phrase(text)),
        made.texts.filter(lambda text: bool(words_of(text))),
    ),
    st.builds(
        lambda net: Asked(f"address:{net}", InNetwork(ip_network(net, strict=False))),
        st.sampled_from(made.NETWORKS),
    ),
    st.builds(
        lambda low, more: Asked(
            f"sequence:{low}..{low + more}", Range("sequence", low, low + more + 1)
        ),
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    st.builds(
        lambda hour, more: _times(
            MONTH_START + hour * 3600 * made.SECOND,
            MONTH_START + (hour + more) * 3600 * made.SECOND + 1,
        ),
        st.integers(-2, 30 * 24),
        st.integers(0, 300),
    ),
)


def _combined(inner: st.SearchStrategy[Asked]) -> st.SearchStrategy[Asked]:
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(
            lambda joint, parts: Asked(
                "(" + joint.join(one.text for one in parts) + ")",
                And(tuple(one.means for one in parts)),
            ),
            st.sampled_from((" ", " AND ", "\t\n")),
            some,
        ),
        st.builds(
            lambda parts: Asked(
                "(" + " OR ".join(one.text for one in parts) + ")",
                Or(tuple(one.means for one in parts)),
            ),
            some,
        ),
        st.builds(
            lambda mark, one: Asked(mark + one.text, Not(one.means)),
            st.sampled_from(("-", "NOT ", "- ")),
            inner,
        ),
    )


questions = st.lists(
    st.recursive(leaves, _combined, max_leaves=6), min_size=QUESTIONS, max_size=QUESTIONS
)


def check(index: SearchIndex, held: list[IndexedRecord], asked: list[Asked]) -> None:
    index.clear()
    index.put(held, 41)
    for one in asked:
        criteria = parse_query(one.text, now=MONTH_START)
        want = scanned(one.means, held)
        assert all_pages(index, criteria, 5, newest_first=True) == want, one.text
        assert index.count(criteria).value == len(want), one.text


@settings(max_examples=EXAMPLES)
@given(held=made.records(least=3, most=20), asked=questions)
def test_embedded_answers_questions_as_a_scan_does(
    embedded: SearchIndex, held: list[IndexedRecord], asked: list[Asked]
) -> None:
    check(embedded, held, asked)


@settings(max_examples=EXAMPLES)
@given(held=made.records(least=3, most=20), asked=questions)
def test_sealed_answers_questions_as_a_scan_does(
    sealed: SearchIndex, held: list[IndexedRecord], asked: list[Asked]
) -> None:
    check(sealed, held, asked)
