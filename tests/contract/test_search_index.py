"""The contract of SearchIndex: one suite, both backends."""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from ipaddress import ip_network
from multiprocessing import get_context

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
)
from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex, Span, TakesReady, Total
from audit.index.row_ids import SECOND
from tests.contract.paging import all_pages
from tests.index.records import MONTH_START

HOUR = 3600 * SECOND


def record(
    sequence: int, *, seconds: float = 0.0, **fields: str | tuple[str, ...]
) -> IndexedRecord:
    values = {name: (v,) if isinstance(v, str) else v for name, v in fields.items()}
    time = MONTH_START + round(seconds * SECOND)
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time + 5,
        fields=values,
        body={"size": sequence, "message": {"objects": [None, 1.5, True, "é"]}},
    )


def ids(found: Sequence[IndexedRecord]) -> list[int]:
    return [r.sequence for r in found]


def found_by(index: SearchIndex, criteria: Criteria) -> list[int]:
    found = ids(index.search(criteria, limit=100, newest_first=False).records)
    assert index.count(criteria) == Total(len(found))
    return found


def test_an_empty_index_answers(index: SearchIndex) -> None:
    span = Span(start=MONTH_START, end=MONTH_START + 2, interval=1)
    assert index.position() == 0
    assert index.search(Everything(), limit=5).records == ()
    assert index.count(Everything()) == Total(0)
    assert index.facets(Everything(), ["user"]) == {"user": ()}
    assert [bucket.total for bucket in index.histogram(Everything(), span, "category")] == [0, 0]
    assert index.top_by_distinct(Everything(), "user", "patient") == ()
    assert index.distinct("user") == ()
    assert index.get("k3f9-0") is None
    assert index.remove(["k3f9-0"]) == 0
    assert index.describe()["records"] == 0


def test_what_was_put_is_given_back_whole(index: SearchIndex) -> None:
    sent = record(7, user=("Müller", "DOM\\müller"), text=("Chest X-Ray", "x"), address="10.0.0.1")
    index.put([sent], 8)
    assert index.get("k3f9-7") == sent
    assert index.search(Everything(), limit=1).records == (sent,)
    assert index.position() == 8
    assert index.get("k3f9-8") is None
    assert index.get("other-7") is None
    assert index.get("nonsense") is None


def test_what_another_process_made_ready_is_put_as_the_record_itself(index: SearchIndex) -> None:
    assert isinstance(index, TakesReady)
    sent = record(7, user=("Müller", "DOM\\müller"), text="Chest X-Ray", repeat_of="k3f9-3")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as another:
        ready = another.submit(index.prepare, sent).result()
    assert (ready.id, ready.received) == (sent.id, sent.received)
    index.put_ready([ready], 8)
    assert index.get("k3f9-7") == sent
    assert found_by(index, And((Term("user", "MÜLLER"), Text("x-ray")))) == [7]
    assert index.position() == 8


def test_put_again_replaces(index: SearchIndex) -> None:
    index.put([record(1, user="anna"), record(2, user="bert")], 3)
    index.put([record(1, seconds=90, user="clara"), record(1, seconds=90, user="carla")], 3)
    assert index.count(Everything()) == Total(2)
    assert found_by(index, Term("user", "anna")) == []
    assert found_by(index, Term("user", "clara")) == []
    assert found_by(index, Everything()) == [2, 1]
    assert index.facets(Everything(), ["user"])["user"] == (("bert", 1), ("carla", 1))


def test_a_record_that_moves_to_another_month_stands_there_alone(index: SearchIndex) -> None:
    there = record(1, user="anna")
    earlier = IndexedRecord(
        id=there.id, sequence=1, time=there.time, received=MONTH_START - 1, fields=there.fields
    )
    index.put([earlier], 2)
    index.put([there], 2)
    assert found_by(index, Everything()) == [1]
    assert index.count(Everything()) == Total(1)
    assert index.get("k3f9-1") == there


def test_position_moves_without_records(index: SearchIndex) -> None:
    index.put([], 17)
    assert index.position() == 17
    index.put([record(17)], 18)
    assert index.position() == 18


def test_remove_forgets(index: SearchIndex) -> None:
    index.put([record(n, user=f"user{n}", category="query", text="seen") for n in range(4)], 4)
    assert index.remove(["k3f9-1", "k3f9-3", "k3f9-9", "nonsense"]) == 2
    assert found_by(index, Everything()) == [0, 2]
    assert found_by(index, Text("seen")) == [0, 2]
    assert index.distinct("user") == ("user0", "user2")
    assert index.count(Term("category", "query")) == Total(2)
    assert index.position() == 4


def test_a_month_that_is_removed_whole_leaves_nothing(index: SearchIndex) -> None:
    month = 32 * 24 * HOUR // SECOND
    held = [record(n, seconds=(n % 2) * month, user=f"u{n}") for n in range(6)]
    index.put(held, 6)
    assert index.describe()["months"] == 2
    assert index.remove([f"k3f9-{n}" for n in (0, 2, 4)]) == 3
    assert index.describe()["months"] == 1
    assert found_by(index, Everything()) == [1, 3, 5]
    index.put([record(6, user="u6")], 7)
    assert found_by(index, Everything()) == [6, 1, 3, 5]
    assert index.facets(Everything(), ["user"])["user"] == tuple(
        (f"u{n}", 1) for n in (1, 3, 5, 6)
    )


def test_clear_forgets_everything(index: SearchIndex) -> None:
    index.put([record(1)], 2)
    index.clear()
    assert index.position() == 0
    assert index.count(Everything()) == Total(0)
    index.put([record(0)], 1)
    assert found_by(index, Everything()) == [0]


def test_order_is_time_then_sequence_both_ways(index: SearchIndex) -> None:
    index.put([record(1, seconds=2), record(2, seconds=1), record(3, seconds=1)], 4)
    index.put([record(4, seconds=1.5), record(5, seconds=-3e6), record(6, seconds=9e6)], 7)
    order = [5, 2, 3, 4, 1, 6]
    for limit in (1, 2, 3, 6, 7):
        assert ids(all_pages(index, Everything(), limit, newest_first=False)) == order
        assert ids(all_pages(index, Everything(), limit, newest_first=True)) == order[::-1]


def test_pages_are_stable_while_records_arrive(index: SearchIndex) -> None:
    index.put([record(n, seconds=n) for n in range(6)], 6)
    first = index.search(Everything(), limit=3)
    index.put([record(6, seconds=6), record(7, seconds=3.5)], 8)
    second = index.search(Everything(), limit=10, after=first.next_place)
    assert ids(first.records) == [5, 4, 3]
    assert ids(second.records) == [2, 1, 0]


def test_folding_is_the_same_for_records_and_questions(index: SearchIndex) -> None:
    index.put(
        [record(1, user="  MÜLLER "), record(2, user="muller"), record(3, user="mueller")], 4
    )
    for asked in ("Müller", "müller", "MULLER", "mu\u0308ller"):
        assert found_by(index, Term("user", asked)) == [1, 2]
    assert found_by(index, Prefix("user", "MÜL")) == [1, 2]
    assert index.distinct("user", "MÜ") == ("mueller", "muller")


def test_every_value_of_a_field_is_searchable(index: SearchIndex) -> None:
    many = tuple(f"1.2.840.{n}" for n in range(300))
    index.put([record(1, study=many)], 2)
    assert found_by(index, And(tuple(Term("study", uid) for uid in many[::50]))) == [1]
    assert found_by(index, Prefix("study", "1.2.840.29")) == [1]
    assert found_by(index, Prefix("study", "1.2.841")) == []


def test_words_stand_anywhere_and_phrases_in_one_value(index: SearchIndex) -> None:
    index.put([record(1, text=("chest x ray", "head")), record(2, text="ray x chest head")], 3)
    assert found_by(index, Text("head CHEST")) == [1, 2]
    assert found_by(index, Phrase("x-ray")) == [1]
    assert found_by(index, Phrase("ray head")) == []
    assert found_by(index, Not(Phrase("chest x"))) == [2]


def test_networks(index: SearchIndex) -> None:
    values = ("10.0.0.1", "10.0.1.1", "::ffff:10.0.0.1", "2001:db8::1", "10.0.0.one")
    index.put([record(n, address=value) for n, value in enumerate(values)], 9)
    for network, want in (("10.0.0.0/24", [0]), ("10.0.0.0/23", [0, 1]), ("::/0", [2, 3])):
        assert found_by(index, InNetwork(ip_network(network))) == want
    assert found_by(index, Not(InNetwork(ip_network("0.0.0.0/0")))) == [2, 3, 4]


def test_ranges_are_exact_to_the_nanosecond(index: SearchIndex) -> None:
    index.put([record(n, seconds=n * 1e-9) for n in range(5)], 5)
    assert found_by(index, Range("time", MONTH_START + 1, MONTH_START + 3)) == [1, 2]
    assert found_by(index, Range("received", MONTH_START + 8)) == [3, 4]
    assert found_by(index, Or((Range("sequence", None, 1), Range("time", MONTH_START + 4)))) == [
        0,
        4,
    ]
    assert found_by(index, Range("time", 1 << 70)) == []
    assert found_by(index, Range("sequence", -(1 << 70), 1 << 70)) == [0, 1, 2, 3, 4]


def test_presence_of_usual_and_unusual_fields(index: SearchIndex) -> None:
    index.put([record(1, user="a"), record(2, repeat_of="k3f9-1"), record(3, user=())], 4)
    assert found_by(index, Exists("user")) == [1]
    assert found_by(index, Not(Exists("repeat_of"))) == [1, 3]
    assert found_by(index, And((Not(Exists("user")), Not(Exists("repeat_of"))))) == [3]


def test_deeply_nested_criteria_are_answered(index: SearchIndex) -> None:
    index.put([record(1, user="a"), record(2, user="b", category="query")], 3)
    criteria: Criteria = Term("user", "a")
    for _ in range(60):
        criteria = Or((And((Not(Not(criteria)), Exists("user"))), Term("user", "c")))
    assert found_by(index, criteria) == [1]
    assert found_by(index, Not(criteria)) == [2]
    assert index.count(criteria) == Total(1)


def test_a_long_list_of_alternatives_is_answered(index: SearchIndex) -> None:
    index.put([record(n, patient=f"P{n}") for n in range(20)], 20)
    asked = Or(tuple(Term("patient", f"p{n}") for n in range(10, 5000)))
    assert found_by(index, asked) == list(range(10, 20))


def test_counts_may_stop(index: SearchIndex) -> None:
    index.put([record(n, user="a") for n in range(7)], 7)
    for criteria in (Everything(), Term("user", "a"), Term("text", "a")):
        there = index.count(criteria).value
        assert index.count(criteria, at_most=7) == Total(there)
        assert index.count(criteria, at_most=3) == Total(min(there, 3), exact=there <= 3)


def test_facets_count_records_and_rank_them(index: SearchIndex) -> None:
    values = [("b", "B"), ("a",), ("c", "a"), ("c",), ()]
    index.put([record(n, user=v, category="query") for n, v in enumerate(values)], 5)
    assert index.facets(Everything(), ["user", "category"], 2) == {
        "user": (("a", 2), ("c", 2)),
        "category": (("query", 5),),
    }
    assert index.facets(Term("user", "b"), ["user"]) == {"user": (("b", 1),)}


def test_top_by_distinct_counts_different_values(index: SearchIndex) -> None:
    held = [("anna", "p1"), ("anna", "P1"), ("anna", "p2"), ("bert", "p1"), ("", "p3")]
    index.put([record(n, user=u, patient=p) for n, (u, p) in enumerate(held)], 5)
    index.put([record(5, user="clara")], 6)
    assert index.top_by_distinct(Everything(), "user", "patient") == (
        ("anna", 2),
        ("", 1),
        ("bert", 1),
    )
    assert index.top_by_distinct(Term("patient", "p1"), "user", "patient", size=1) == (
        ("anna", 1),
    )


def test_histograms_split_and_keep_empty_buckets(index: SearchIndex) -> None:
    held = [
        (0, "query"),
        (10, "access"),
        (3600, "Query"),
        (3 * 3600, "export"),
        (5 * 3600, "query"),
    ]
    index.put([record(n, seconds=s, category=c) for n, (s, c) in enumerate(held)], 5)
    index.put([record(5, seconds=20)], 6)
    span = Span(start=MONTH_START, end=MONTH_START + 4 * HOUR, interval=HOUR)
    split = index.histogram(Everything(), span, "category")
    assert [b.start for b in split] == [MONTH_START + n * HOUR for n in range(4)]
    assert [b.counts for b in split] == [
        {"query": 1, "access": 1, "": 1},
        {"query": 1},
        {},
        {"export": 1},
    ]
    plain = index.histogram(Not(Term("category", "export")), span)
    assert [b.counts for b in plain] == [{"": 3}, {"": 1}, {}, {}]


def test_description_tells_what_there_is(index: SearchIndex) -> None:
    index.put([record(n) for n in range(3)], 3)
    told = index.describe()
    assert told["healthy"] is True
    assert (told["records"], told["months"], told["position"]) == (3, 1, 3)
    assert isinstance(told["octets"], int)
    assert told["octets"] > 0
    json.dumps(told)
