import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import structlog.testing
from typing_extensions import override

from audit.errors import ConfigurationError, IndexUnavailable
from audit.index import elastic_documents
from audit.index.criteria import Term
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.index.sqlite_ready import ReadyRecord, ready
from audit.journal.entry import EntryKind, Received
from audit.journal.reader import JournalReader
from audit.journal.writer import JournalWriter
from audit.projector import follow
from audit.projector.follow import Follower, FollowOptions
from audit.projector.project import project as real_project
from audit.projector.repeats import RepeatOptions
from tests.index.fake_elasticsearch import fake_elasticsearch
from tests.projector.messages import NOW, message, patient, received, study
from tests.projector.test_certificates import der_of
from tests.query.memory_index import MemoryIndex
from tests.waiting import until

QUICK = FollowOptions(poll_interval_s=0.005, retry_first_s=0.005, retry_most_s=0.01)


def numbered(number: int, **changes: Any) -> Received:
    one = message(objects=(study(), patient(f"P{number}")))
    return received(one, received_at=NOW + number, **changes)


def drain(follower: Follower) -> int:
    total = 0
    while taken := follower.step():
        total += taken
    return total


@contextmanager
def running(follower: Follower) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_everything_is_indexed_in_batches(writer: JournalWriter, reader: JournalReader) -> None:
    writer.append([numbered(n) for n in range(25)])
    index = MemoryIndex()
    follower = Follower(reader, index, FollowOptions(batch_records=10))
    assert drain(follower) == 25
    assert index.puts == [(10, 10), (10, 20), (5, 25)]
    assert set(index.records) == {f"{reader.origin}-{n}" for n in range(25)}
    assert index.records[f"{reader.origin}-3"].values("patient") == ("P3",)
    assert (follower.counters.records, follower.counters.position) == (25, 25)
    assert follower.counters.last_put_at > 0


def test_batches_are_bounded_in_octets(writer: JournalWriter, reader: JournalReader) -> None:
    writer.append([numbered(n) for n in range(4)])
    size = len(numbered(0).raw)
    index = MemoryIndex()
    drain(Follower(reader, index, FollowOptions(batch_octets=2 * size)))
    assert index.puts == [(2, 2), (2, 4)]
    small = MemoryIndex()
    drain(Follower(reader, small, FollowOptions(batch_octets=1)))
    assert small.puts == [(1, 1), (1, 2), (1, 3), (1, 4)]


def test_a_follower_goes_on_where_the_index_is(
    writer: JournalWriter, reader: JournalReader
) -> None:
    writer.append([numbered(n) for n in range(5)])
    index = MemoryIndex()
    drain(Follower(reader, index))
    writer.append([numbered(n) for n in range(5, 8)])
    again = Follower(reader, index)
    assert drain(again) == 3
    assert again.step() == 0
    assert len(index.records) == 8


def test_a_cleared_index_is_filled_again_alike(
    writer: JournalWriter, reader: JournalReader
) -> None:
    writer.append([numbered(n % 3) for n in range(9)])
    index = MemoryIndex()
    follower = Follower(reader, index, FollowOptions(recheck_interval_s=0.0, batch_records=2))
    drain(follower)
    before = dict(index.records)
    index.clear()
    assert drain(follower) == 9
    assert index.records == before


def test_an_idle_follower_asks_the_index_seldom(
    writer: JournalWriter, reader: JournalReader
) -> None:
    writer.append([numbered(1)])
    index = MemoryIndex()
    follower = Follower(reader, index, FollowOptions(recheck_interval_s=3600))
    drain(follower)
    index.fault = IndexUnavailable("must not be asked")
    assert follower.step() == 0


def test_repeats_name_what_they_repeat_also_after_a_restart(
    writer: JournalWriter, reader: JournalReader
) -> None:
    index = MemoryIndex()
    writer.append([numbered(1), numbered(2)])
    drain(Follower(reader, index))
    writer.append([numbered(1), numbered(1)])
    follower = Follower(reader, index)
    drain(follower)
    repeats = [index.records[f"{reader.origin}-{n}"].first("repeat_of") for n in range(4)]
    assert repeats == ["", "", f"{reader.origin}-0", f"{reader.origin}-2"]
    assert follower.counters.repeats == 2


def test_no_window_marks_no_repeats(writer: JournalWriter, reader: JournalReader) -> None:
    index = MemoryIndex()
    writer.append([numbered(1), numbered(1)])
    drain(Follower(reader, index, FollowOptions(repeats=RepeatOptions(window_s=0))))
    assert not any(record.first("repeat_of") for record in index.records.values())


def test_certificates_are_no_documents_but_name_the_peers(
    writer: JournalWriter, reader: JournalReader
) -> None:
    der = der_of("ct1.example")
    digest = sha256(der).digest()
    certificate = received(der, kind=EntryKind.CERTIFICATE, certificate_sha256=digest)
    writer.append([certificate])
    index = MemoryIndex()
    follower = Follower(reader, index)
    assert drain(follower) == 1
    assert (follower.counters.certificates, follower.counters.records) == (1, 0)
    assert index.puts == [(0, 1)]
    writer.append([numbered(1, certificate_sha256=digest)])
    drain(follower)
    drain(again := Follower(reader, later := MemoryIndex()))
    assert again.counters.certificates == 1
    for one in (index, later):
        peer = one.records[f"{reader.origin}-1"].body["peer"]
        assert peer["certificate_subject"] == "CN=ct1.example"


def test_a_certificate_from_before_the_restart_names_the_peer(
    writer: JournalWriter, reader: JournalReader
) -> None:
    der = der_of("ct2.example")
    digest = sha256(der).digest()
    writer.append([received(der, kind=EntryKind.CERTIFICATE, certificate_sha256=digest)])
    index = MemoryIndex()
    drain(Follower(reader, index))
    writer.append([numbered(1, certificate_sha256=digest)])
    drain(Follower(reader, index))
    body = index.records[f"{reader.origin}-1"].body
    assert body["peer"]["certificate_subject"] == "CN=ct2.example"


def test_an_index_failure_loses_and_doubles_nothing(
    writer: JournalWriter, reader: JournalReader
) -> None:
    writer.append([numbered(1), numbered(2), numbered(1)])
    index = MemoryIndex()
    follower = Follower(reader, index)

    index.put_fault = IndexUnavailable("disk full")
    for _ in range(3):
        with pytest.raises(IndexUnavailable):
            follower.step()
    index.put_fault = None
    assert drain(follower) == 3
    third = index.records[f"{reader.origin}-2"]
    assert third.first("repeat_of") == f"{reader.origin}-0"
    assert (follower.counters.records, follower.counters.repeats) == (3, 1)


def test_a_batch_that_could_not_be_projected_does_not_repeat_itself(
    writer: JournalWriter, reader: JournalReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ConfigurationError("the workers don't start")

    writer.append([numbered(n) for n in range(3)])
    index = MemoryIndex()
    follower = Follower(reader, index)
    with monkeypatch.context() as broken:
        broken.setattr(follow, "run_jobs", refuse)
        for _ in range(2):
            with pytest.raises(ConfigurationError):
                follower.step()
    assert drain(follower) == 3
    assert [record.values("repeat_of") for record in index.records.values()] == [(), (), ()]


def test_what_stands_for_a_failure_is_made_ready_as_well(
    writer: JournalWriter,
    reader: JournalReader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the fault is in making it ready."""

    def refuse(record: IndexedRecord) -> ReadyRecord:
        if "projection-failed" not in record.values("finding"):
            raise ValueError("no such record")
        return ready(record)

    writer.append([numbered(n) for n in range(3)])
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path / "index"))
    monkeypatch.setattr(index, "prepare", refuse)
    follower = Follower(reader, index)
    assert drain(follower) == 3
    assert follower.counters.failed_projections == 3
    assert index.count(Term("finding", "projection-failed")).value == 3
    index.close()


def test_documents_for_elasticsearch_are_made_by_the_workers(
    writer: JournalWriter, reader: JournalReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.append([numbered(n) for n in range(5)])
    monkeypatch.setattr(elastic_documents, "document_of", Mock(side_effect=AssertionError))
    with (
        fake_elasticsearch() as fake,
        closing(ElasticIndex(ElasticIndexOptions(urls=(fake.url,)))) as index,
        closing(Follower(reader, index, FollowOptions(workers=1))) as follower,
    ):
        assert drain(follower) == 5
        assert [one["patient"] for one in fake.taken.values()] == [[f"p{n}"] for n in range(5)]
        assert follower.counters.failed_projections == 0


def test_running_waits_failures_out(writer: JournalWriter, reader: JournalReader) -> None:
    index = MemoryIndex()
    index.fault = IndexUnavailable("starting up")
    follower = Follower(reader, index, QUICK)
    writer.append([numbered(1)])
    with structlog.testing.capture_logs() as logs, running(follower):
        until(lambda: follower.counters.failures >= 3)
        assert "starting up" in follower.counters.last_failure
        index.fault = None
        until(lambda: len(index.records) == 1)
        until(lambda: not follower.counters.last_failure)
        writer.append([numbered(2)])
        until(lambda: len(index.records) == 2)
    warnings = [line for line in logs if line["log_level"] == "warning"]
    assert len(warnings) == 1, "a lasting failure is told once"


def test_a_fault_of_ours_stops_no_other_record(
    writer: JournalWriter, reader: JournalReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def project(entry: Any, *arguments: Any, **options: Any) -> IndexedRecord:
        if entry.sequence == 1:
            raise ZeroDivisionError("P1")
        return real_project(entry, *arguments, **options)

    monkeypatch.setattr("audit.projector.jobs.project", project)
    writer.append([numbered(n) for n in range(3)])
    index = MemoryIndex()
    follower = Follower(reader, index)
    with structlog.testing.capture_logs() as logs:
        assert drain(follower) == 3
    assert index.records[f"{reader.origin}-1"].values("finding") == ("projection-failed",)
    assert index.records[f"{reader.origin}-2"].values("patient") == ("P2",)
    assert follower.counters.failed_projections == 1
    assert "P1" not in str(logs)


def test_stopping_while_it_remembers(writer: JournalWriter, reader: JournalReader) -> None:
    writer.append([numbered(n) for n in range(3)])
    index = MemoryIndex()
    index.put([], 2)
    follower = Follower(reader, index)
    stop = threading.Event()
    stop.set()
    follower.run(stop)
    assert follower.step() == 0
    assert index.position() == 2


def test_an_index_ahead_of_the_journal_waits(writer: JournalWriter, reader: JournalReader) -> None:
    writer.append([numbered(1)])
    index = MemoryIndex()
    index.put([], 5)
    assert Follower(reader, index).step() == 0
    assert index.position() == 5


def test_workers_project_the_same(writer: JournalWriter, reader: JournalReader) -> None:
    writer.append([numbered(n % 20) for n in range(30)])
    alone, together = MemoryIndex(), MemoryIndex()
    drain(Follower(reader, alone))
    follower = Follower(reader, together, FollowOptions(workers=2, batch_records=16))
    drain(follower)
    follower.close()
    assert together.records == alone.records


class Rests(threading.Event):
    """Is waited on without waiting; notes how long it should have been."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.asked: list[float] = []
        self._most = most

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout or 0.0)
        if len(self.asked) == self._most:
            self.set()
        return self.is_set()


def test_a_batch_that_is_not_full_waits_for_more(
    writer: JournalWriter, reader: JournalReader
) -> None:
    writer.append([numbered(n) for n in range(11)])
    index = MemoryIndex()
    options = FollowOptions(batch_records=4, gather_s=50.0, poll_interval_s=0.5)
    rests = Rests(most=5)
    Follower(reader, index, options).run(rests)
    assert index.puts == [(4, 4), (4, 8), (3, 11)]
    assert rests.asked[0] == 0
    assert all(40 < rest <= 50 for rest in rests.asked[1:3])
    assert rests.asked[3:] == [0.5, 0.5]
