"""audit.index.sqlite_ready: what another process makes of records is what the index holds."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.index import sqlite_documents, sqlite_writing
from audit.index.criteria import Everything, Term
from audit.index.document import IndexedRecord
from audit.index.port import TakesReady
from audit.index.sqlite_documents import DocumentCodec
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.index.sqlite_ready import ready, sets_of
from audit.index.tokens import token_text
from audit.index.value_sets import columns_to_keep
from tests.index.records import records
from tests.index.test_sqlite_index import documents_in, record


@given(made=records(least=1))
def test_a_ready_record_holds_all_of_it_and_crosses_processes(made: list[IndexedRecord]) -> None:
    codec = DocumentCodec(sqlite_documents.dictionary())
    for one in made:
        taken = pickle.loads(pickle.dumps(ready(one)))  # noqa: S301 - our own
        assert taken == ready(one)
        lines = codec.plain(taken.document).split(b"\n", 1)
        places = (taken.time, taken.sequence, taken.received)
        again = codec.record(places, *lines)
        assert (again.id, again.body) == (taken.id, one.body)
        assert again.fields == one.fields
        assert taken.tokens == token_text(one)
        assert taken.sets == sets_of(one)
        assert len(taken.sets) == len(columns_to_keep())


@given(made=records(), name=st.sampled_from(["user", "patient", "category"]))
def test_an_index_answers_alike_of_ready_records_and_of_whole_ones(
    made: list[IndexedRecord], name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole, given_ready = (
        SqliteIndex(SqliteIndexOptions(directory=tmp_path_factory.mktemp("index")))
        for _ in range(2)
    )
    assert isinstance(given_ready, TakesReady)
    whole.put(made, 100)
    given_ready.put_ready([given_ready.prepare(one) for one in made], 100)
    answers = []
    for index in (whole, given_ready):
        answers.append(
            (
                index.position(),
                index.search(Everything(), limit=100),
                index.facets(Everything(), [name]),
                index.distinct(name),
            )
        )
        index.close()
    assert answers[0] == answers[1]


def test_a_month_file_with_a_dictionary_of_its_own_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that an earlier version made; a reader knows no other dictionary for it."""
    earlier = sqlite_documents.dictionary()[::-1]
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path / "index"))
    with monkeypatch.context() as before:
        before.setattr(sqlite_writing, "dictionary", lambda: earlier)
        index.put([record(1, user="first")], 2)
    index.put([record(2, user="second")], 3)
    found = index.search(Term("user", "second"), limit=2).records
    assert [one.sequence for one in found] == [2]
    assert index.get("k3f9-1") == record(1, user="first")
    index.close()
    codec = DocumentCodec(earlier)
    for document in documents_in(tmp_path / "index"):
        assert b"k3f9-" in codec.plain(document)
