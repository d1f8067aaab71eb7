"""``arr verify --index``: index and journal are held against each other, both ways."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.errors import IncompleteCheck
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import SearchIndex
from audit.index.sqlite_index import SqliteIndex
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.initialise import read_identity
from audit.journal.note import Signer
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.signing_key import load_signing_key
from audit.journal.writer import JournalOptions, JournalWriter
from audit.projector.follow import Follower, FollowOptions
from audit.service.backends import open_index
from audit.service.project import projection_options
from audit.service.verify_index import IndexCheck, check_index, differences
from audit.simulate.hospital import simulate
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run
from tests.elasticsearch_server import ElasticsearchServer
from tests.journal.faults import Unsynced
from tests.journal.journals import certificate
from tests.service.places import Place, make_place

COUNT = 40


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    """Forty records and a certificate, one of them sent twice, all in the index."""
    made = make_place(tmp_path, authority)
    fill(made)
    follow(made, open_index(made.settings, made.paths))
    return made


def remove(place: Place, sequence: int) -> None:
    """Its body, by right, from the journal alone."""
    first = segment_files(place.paths.journal)[0][0]
    name = read_identity(place.paths.journal).name
    signer = Signer(name, load_signing_key(place.paths.signing_key))
    Remover(place.paths.journal, RemovalOptions(signer=signer)).remove(first, [sequence], "over")


def append(place: Place, *records: Received) -> None:
    with JournalWriter.open(
        place.paths.journal, journal_options(place), files=Files(Unsynced())
    ) as writer:
        for record in records:
            writer.append([record])


def journal_options(place: Place) -> JournalOptions:
    return JournalOptions(
        key_file=place.paths.signing_key,
        position_file=place.paths.position,
        segment_max_entries=15,
        reserve_octets=0,
    )


def fill(place: Place) -> None:
    raws = [one.syslog for one in simulate(3, datetime(2026, 1, 5, tzinfo=UTC), events=COUNT - 1)]
    raws.insert(9, raws[5])
    at = 1_770_000_000_000_000_000
    sent = [Received(raw, at + number, "tls", "192.0.2.1") for number, raw in enumerate(raws)]
    append(place, certificate(1), *sent)


def follow(place: Place, index: SearchIndex) -> None:
    with JournalReader(place.paths.journal) as reader:
        options = FollowOptions(workers=0, projection=projection_options(place.settings))
        follower = Follower(reader, index, options)
        while follower.step():
            continue
        follower.close()
    index.close()


def documents(place: Place) -> list[IndexedRecord]:
    index = open_index(place.settings, place.paths)
    with JournalReader(place.paths.journal) as reader:
        found = [index.get(f"{reader.origin}-{n}") for n in range(COUNT + 1)]
    index.close()
    return [one for one in found if one is not None]


def change(place: Place, act: Callable[[SearchIndex], object]) -> list[tuple[str, str]]:
    index = open_index(place.settings, place.paths)
    act(index)
    index.close()
    report = check_index(place.settings)
    assert report.exit_code == (4 if report.named else 0)
    assert report.disagreements == len(report.named)
    return report.named


def test_they_agree(place: Place) -> None:
    told: list[tuple[int, int]] = []
    report = check_index(place.settings, lambda *both: told.append(both))
    assert report.named == []
    assert (report.position, report.documents) == (COUNT + 1, COUNT)
    assert told[0] == (COUNT, 2 * (COUNT + 1))
    assert any(one.first("repeat_of") for one in documents(place))
    result = arr_run(place, "verify", "--index", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["index"]["agrees"] is True
    assert f"index: agrees; {COUNT} documents" in arr_run(place, "verify", "--index").stdout


def test_a_document_that_is_missing(place: Place) -> None:
    record = documents(place)[7]
    assert change(place, lambda index: index.remove([record.id])) == [
        (record.id, "is not in the index")
    ]
    result = arr_run(place, "verify", "--index")
    assert result.exit_code == 4
    assert f"✖ {record.id} is not in the index" in result.stdout
    assert "1 DISAGREEMENTS" in result.stdout


@pytest.mark.parametrize(
    ("altered", "said"),
    [
        (lambda one: replace(one, time=one.time + 1), "differs from its entry in time"),
        (lambda one: replace(one, fields=one.fields | {"user": ("x",)}), "in user"),
        (lambda one: replace(one, body=one.body | {"peer": "x"}), "in body.peer"),
        (lambda one: replace(one, fields=one.fields | {"repeat_of": ("x-1",)}), "no repeat"),
    ],
)
def test_a_document_that_was_altered(
    place: Place, altered: Callable[[IndexedRecord], IndexedRecord], said: str
) -> None:
    record = documents(place)[3]

    def alter(index: SearchIndex) -> None:
        index.put([altered(record)], COUNT + 1)

    ((name, problem),) = change(place, alter)
    assert name == record.id
    assert said in problem


@pytest.mark.parametrize("odd", ["plain", "lone \ud800", 1 << 70])
def test_whatever_a_document_holds_each_difference_is_named(odd: object) -> None:
    one = IndexedRecord(
        id="k3f9-1",
        sequence=1,
        time=5,
        received=6,
        fields={"user": ("anna",)},
        body={"odd": odd, "list": [(1,), None]},
    )
    same = replace(one, body={"list": [[1], None], "odd": odd})
    assert list(differences(one, same)) == []
    other = replace(one, time=4, fields={"node": ("ct",)}, body=dict(one.body, list=[[1], 0]))
    assert list(differences(one, other)) == ["time", "node", "user", "body.list"]


def test_a_repeat_that_does_not_say_so(place: Place) -> None:
    (repeat,) = [one for one in documents(place) if one.first("repeat_of")]
    fields = {name: value for name, value in repeat.fields.items() if name != "repeat_of"}
    silent = replace(repeat, fields=fields)
    ((name, problem),) = change(place, lambda index: index.put([silent], COUNT + 1))
    assert name == repeat.id
    assert problem == f"repeats {repeat.first('repeat_of')}, but says nothing"


def test_the_same_octets_of_another_source_are_no_repeat(place: Place) -> None:
    with JournalReader(place.paths.journal) as reader:
        end = reader.durable_count()
        again = replace(reader.read(7).received, peer="192.0.2.2")
        origin = reader.origin
    append(place, again)
    follow(place, open_index(place.settings, place.paths))
    index = open_index(place.settings, place.paths)
    record = index.get(f"{origin}-{end}")
    assert record is not None
    hidden = replace(record, fields=record.fields | {"repeat_of": (f"{origin}-7",)})
    index.put([hidden], end + 1)
    index.close()
    assert check_index(place.settings).named == [
        (record.id, f"repeats no record, but says {origin}-7")
    ]


def test_a_repeat_of_what_was_removed_since_is_none_to_complain_of(place: Place) -> None:
    (repeat,) = [one for one in documents(place) if one.first("repeat_of")]
    earlier = int(repeat.first("repeat_of").rpartition("-")[2])
    remove(place, earlier)
    gone = repeat.first("repeat_of")
    assert change(place, lambda index: index.remove([gone])) == []


def test_a_record_that_is_called_a_repeat_to_hide_it(place: Place) -> None:
    one, other = documents(place)[3], documents(place)[20]
    hidden = replace(other, fields=other.fields | {"repeat_of": (one.id,)})
    forward = replace(one, fields=one.fields | {"repeat_of": (other.id,)})

    def hide(index: SearchIndex) -> None:
        index.put([hidden, forward], COUNT + 1)

    named = dict(change(place, hide))
    assert set(named) == {one.id, other.id}
    assert all("no repeat" in problem for problem in named.values())


def test_documents_without_an_entry(place: Place) -> None:
    record = documents(place)[0]
    origin = record.id.partition("-")[0]
    strange = [
        replace(record, id=f"{origin}-0", sequence=0),  # the certificate
        replace(record, id=f"{origin}-00{record.sequence}"),
        replace(record, id="otherlog-3", sequence=3),
    ]
    named = dict(change(place, lambda index: index.put(strange, COUNT + 1)))
    assert set(named) >= {one.id for one in strange}
    assert "no message in the journal" in named[strange[0].id]
    assert "no record of this journal" in named["otherlog-3"]


def test_a_record_that_was_removed_from_the_journal_alone(place: Place) -> None:
    remove(place, 4)
    named = dict(change(place, lambda _: None))
    ((name, problem),) = named.items()
    assert name.endswith("-4")
    assert "lawfully removed" in problem
    assert change(place, lambda index: index.remove([name])) == []


def test_without_an_index_or_a_whole_answer_nothing_is_claimed(
    tmp_path: Path, authority: CertificateAuthority, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = make_place(tmp_path / "bare", authority)
    fill(bare)
    with pytest.raises(IncompleteCheck, match="holds no index"):
        check_index(bare.settings)
    result = arr_run(bare, "verify", "--index")
    assert result.exit_code == 5
    assert "? not checked" in result.stdout
    assert json.loads(arr_run(bare, "verify", "--index", "--json").stdout)["index"]["reason"]
    whole = SqliteIndex.search
    monkeypatch.setattr(
        SqliteIndex,
        "search",
        lambda *given, **named: replace(whole(*given, **named), partial=True),
    )
    with pytest.raises(IncompleteCheck, match="in part"):
        check_index(place.settings)


@pytest.fixture
def elastic(elasticsearch_server: ElasticsearchServer) -> Iterator[SearchIndex]:
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,)))
    index.clear()
    yield index
    index.close()


@pytest.mark.elastic
def test_elasticsearch_and_the_journal(place: Place, elastic: SearchIndex) -> None:
    with JournalReader(place.paths.journal) as reader:
        follower = Follower(reader, elastic, FollowOptions(workers=0))
        while follower.step():
            continue
        options = projection_options(place.settings)
        assert IndexCheck(elastic, reader, options).run().named == []
        record = documents(place)[12]
        elastic.remove([record.id])
        report = IndexCheck(elastic, reader, options).run()
        assert report.named == [(record.id, "is not in the index")]
        follower.close()
