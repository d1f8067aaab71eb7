"""Random records and criteria over few values, so that they often meet."""

from collections.abc import Sequence
from ipaddress import ip_network

from hypothesis import strategies as st

from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    InNetwork,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Text,
    matches,
)
from audit.index.document import IndexedRecord

SECOND = 1_000_000_000
MONTH_START = 1_769_904_000 * SECOND  # 2026-02-01T00:00:00Z
LONG = "x" * 512
HUGE = "ab" * 32768

SHORT_HOSTILE = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x01",
    "\x02a",
    "\x02#",
    '"',
    "'; DROP TABLE documents; --",
    "NOT",
    "a OR b",
    "a AND (b",
    "user:a*",
    "^a",
    "%",
    "\\",
    "*",
    "?",
    "{}[]<>/~",
    ":all",
    "ALL",
    "\u202eabc\u202c",
    "\u05d0\u05d1\u05d2",
    "👩\u200d⚕️",
    "e\u0301",
    "É",
    "ﬁ",
    "\u017f",
    "ß",
    "SS",
    "İ",
    "ΣΑΣ",
    LONG,
    LONG + "y",
    LONG + "z",
)
HOSTILE = (*SHORT_HOSTILE, HUGE + "1", HUGE + "2")
PLAIN = ("Müller", "MULLER", "muller^anna", "mul", "17", "1.2.840.10008", "1.2.840", "a b", "A  b")
ADDRESSES = (
    "10.0.0.1",
    "10.0.0.200",
    "10.1.2.3",
    " 10.0.0.1 ",
    "192.168.1.7",
    "fe80::1",
    "FE80:0::1",
    "2001:db8::7",
    "node.example.org",
    "300.1.1.1",
)
NETWORKS = ("10.0.0.0/8", "10.0.0.0/25", "10.0.0.1/32", "0.0.0.0/0", "fe80::/10", "2001:db8::/61")
WORDS = ("chest", "Thorax", "thorax", "x-ray", "café", "CAFE", "17", "of", *SHORT_HOSTILE)
CATEGORIES = ("query", "access", "export", "Export")

values = st.sampled_from(PLAIN + SHORT_HOSTILE)
texts = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
times = st.one_of(
    st.integers(0, 3).map(lambda s: MONTH_START + s * SECOND),
    st.integers(-3, 3).map(lambda n: MONTH_START + SECOND + n),
    st.integers(0, 30 * 24).map(lambda h: MONTH_START + h * 3600 * SECOND),
    st.sampled_from((0, -1, -(40 * 365 * 86400) * SECOND, 4_070_908_800 * SECOND)),
)
received_times = st.sampled_from((MONTH_START - 1, MONTH_START, MONTH_START + 5 * SECOND))


def _some(strategy: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


fields = st.fixed_dictionaries(
    {},
    optional={
        "user": _some(values),
        "patient": _some(values),
        "address": _some(st.sampled_from(ADDRESSES)),
        "category": _some(st.sampled_from(CATEGORIES), most=1),
        "repeat_of": _some(st.sampled_from(("k3f9-1", "k3f9-2")), most=1),
        "text": _some(texts),
    },
)


@st.composite
def records(draw: st.DrawFn, least: int = 0, most: int = 12) -> list[IndexedRecord]:
    """Records of one journal, their sequences in some order."""
    sequences = draw(st.lists(st.integers(0, 40), unique=True, min_size=least, max_size=most))
    return [
        IndexedRecord(
            id=f"k3f9-{sequence}",
            sequence=sequence,
            time=draw(times),
            received=draw(received_times),
            fields=draw(fields),
            body={"size": sequence, "ﬁ": [None, 1.5, "\u2028"]},
        )
        for sequence in sequences
    ]


keyword_names = st.sampled_from(("user", "patient", "category", "repeat_of", "address", "text"))
any_values = st.one_of(values, st.sampled_from(ADDRESSES + CATEGORIES), texts)
bounds = st.one_of(st.none(), times, times.map(lambda t: t + 1))
ranges = st.one_of(
    st.builds(Range, st.just("time"), bounds, bounds),
    st.builds(Range, st.just("received"), received_times, st.none()),
    st.builds(Range, st.just("sequence"), st.integers(0, 40), st.integers(0, 41)),
)
leaves: st.SearchStrategy[Criteria] = st.one_of(
    st.just(Everything()),
    st.builds(Term, keyword_names, any_values),
    st.builds(Prefix, keyword_names, any_values),
    st.builds(Exists, keyword_names),
    st.builds(Text, texts),
    st.builds(Phrase, texts),
    st.builds(InNetwork, st.sampled_from([ip_network(n, strict=False) for n in NETWORKS])),
    ranges,
)


def _combined(inner: st.SearchStrategy[Criteria]) -> st.SearchStrategy[Criteria]:
    parts = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(st.builds(And, parts), st.builds(Or, parts), st.builds(Not, inner))


criteria: st.SearchStrategy[Criteria] = st.recursive(leaves, _combined, max_leaves=6)


def scanned(
    asked: Criteria, held: Sequence[IndexedRecord], *, newest_first: bool = True
) -> list[IndexedRecord]:
    """What a list scan answers: the definition."""
    found = [record for record in held if matches(asked, record)]
    return sorted(found, key=lambda r: (r.time, r.sequence), reverse=newest_first)
