"""Erasure by order: the copies of a message go too, from either backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.journal.writer import JournalOptions, JournalWriter
from audit.service.backends import open_index
from audit.service.copies import copies_of
from audit.service.verify_index import check_index
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run, beside, fill_with_years, octets_below
from tests.elasticsearch_server import ElasticsearchServer
from tests.journal.faults import Unsynced
from tests.journal.journals import certificate
from tests.service.places import Place, make_place

ORDER = ("--order", "LG Ulm 3 O 17/26")
HOUR_NS = 3_600_000_000_000
AT = 1_770_000_000_000_000_000


@pytest.fixture
def authority() -> CertificateAuthority:
    return CertificateAuthority.create("test CA")


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    return make_place(tmp_path, authority)


def append(place: Place, *records: Received) -> None:
    options = JournalOptions(
        key_file=place.paths.signing_key,
        position_file=place.paths.position,
        segment_max_entries=3,
        reserve_octets=0,
    )
    with JournalWriter.open(place.paths.journal, options, files=Files(Unsynced())) as writer:
        for one in records:
            writer.append([one])


def sent(raw: bytes, hours: float, peer: str = "192.0.2.1") -> Received:
    return Received(raw, AT + round(hours * HOUR_NS), "tls", peer)


def test_copies_are_followed_to_both_ends_of_their_chain(place: Place) -> None:
    append(
        place,
        sent(b"a", 0),  # too long before the next copy
        sent(b"a", 25),
        sent(b"b", 26),
        sent(b"a", 40, peer="192.0.2.9"),
        certificate(1),
        sent(b"a", 50),
        sent(b"a", 73),
        sent(b"a", 99),
    )
    with JournalReader(place.paths.journal) as reader:
        assert copies_of(reader, 5, 24 * 3600) == (1, 3, 5, 6)
        assert copies_of(reader, 1, 24 * 3600) == (1, 3, 5, 6)
        assert copies_of(reader, 7, 24 * 3600) == (7,)
        assert copies_of(reader, 5, 0) == (5,)


def test_a_held_copy_keeps_all_of_them(place: Place) -> None:
    raws = fill_with_years(place, 4, years_ago=1)

    def act() -> None:
        client = AppendClient(place.paths.append_socket)
        first = client.append(raws[2], "tls", "192.0.2.1")
        again = client.append(raws[2], "tls", "192.0.2.1")
        client.close()
        laid = arr_run(
            place, "hold", "add", "--case", "c", "--record", name(place, again), "--reason", "r"
        )
        assert laid.exit_code == 0
        assert arr_run(place, "retention", "erase", str(first), *ORDER).exit_code == 8
        with JournalReader(place.paths.journal) as reader:
            assert reader.read(first).received.raw == raws[2]

    beside(place, act)
    assert verify(place.paths.journal).removed == 0


def name(place: Place, sequence: int) -> str:
    with JournalReader(place.paths.journal) as reader:
        return f"{reader.origin}-{sequence}"


def erase_with_copies(place: Place) -> None:
    """A message and two copies, one in the segment that is being written, are gone."""
    raws = fill_with_years(place, 5, years_ago=0.0001)

    def act() -> None:
        client = AppendClient(place.paths.append_socket)
        copies = [client.append(raws[1], "tls", "192.0.2.1") for _ in range(2)]
        client.close()
        index = open_index(place.settings, place.paths)
        ids = [name(place, n) for n in (1, *copies)]
        wait_for(index.get, ids[-1])
        assert index.get(ids[-1]).first("repeat_of")  # type: ignore[union-attr]
        erased = arr_run(place, "retention", "erase", ids[1], *ORDER)
        assert erased.exit_code == 0, erased.output
        assert f"journal: {ids[1]} erased, statement 0" in erased.stdout
        for other in (ids[0], ids[2]):
            assert f"journal: {other} erased, which held the same message" in erased.stdout
        assert "index: forgotten" in erased.stdout
        assert [index.get(one) for one in ids] == [None] * 3
        index.close()
        with JournalReader(place.paths.journal) as reader:
            assert all(reader.read(n).is_removed for n in (1, *copies))

    beside(place, act)
    assert raws[1] not in octets_below(place.paths.journal)
    with JournalReader(place.paths.journal) as reader:
        assert reader.read(2).received.raw == raws[2]
    assert verify(place.paths.journal).violations == ()
    assert check_index(place.settings).named == []


def wait_for(get: object, name: str) -> None:
    from tests.waiting import until

    assert callable(get)
    until(lambda: get(name) is not None)


def test_copies_go_from_journal_and_embedded_index(place: Place) -> None:
    erase_with_copies(place)


@pytest.fixture
def elastic_place(
    tmp_path: Path, authority: CertificateAuthority, elasticsearch_server: ElasticsearchServer
) -> Iterator[Place]:
    made = make_place(
        tmp_path,
        authority,
        index__backend="elasticsearch",
        index__elasticsearch_url=elasticsearch_server.url,
        index__elasticsearch_prefix="erasure",
    )
    yield made
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,), prefix="erasure"))
    index.clear()
    index.close()


@pytest.mark.elastic
@pytest.mark.slow
def test_copies_go_from_journal_and_elasticsearch(elastic_place: Place) -> None:
    erase_with_copies(elastic_place)
