"""What a measurement does when what it measures does not work."""

from pathlib import Path
from threading import Event

import pytest
from typing_extensions import override

from audit.bench import arriving, processes, rsyslog, search
from audit.bench.caller import Access, Caller
from audit.bench.clocks import MeasurementFailed
from audit.bench.connections import held
from audit.bench.questions import AskingOptions
from audit.bench.repository import SearchableCount, free_port, running, temporary_site
from audit.bench.search import SearchBenchOptions
from audit.bench.senders import SenderPlan, sending
from audit.bench.traffic import entries, received
from audit.errors import ConnectionFailed, RequestError
from audit.projector.project import project
from audit.service.backends import open_index

QUICK = AskingOptions(times=2)


def test_a_process_that_can_t_start_is_told_with_its_words(tmp_path: Path) -> None:
    with temporary_site(tmp_path) as site:
        settings = site.settings(trust__private_key=site.pki / "missing.key")
        with (
            pytest.raises(MeasurementFailed, match="receive ended"),
            running(site, settings, "receive"),
        ):
            pass
    assert not list(tmp_path.iterdir())


def test_a_sender_without_a_receiver_says_so(tmp_path: Path) -> None:
    with temporary_site(tmp_path) as site:
        plan = SenderPlan(
            host="127.0.0.1", port=free_port(), tls=site.client_tls(), seed=1, messages=3
        )
        with sending([plan], block=1) as senders, pytest.raises(ConnectionFailed):
            senders.send(1)


def test_connections_and_callers_without_a_server(tmp_path: Path) -> None:
    with (
        temporary_site(tmp_path) as site,
        pytest.raises(MeasurementFailed, match="refuses a connection"),
        held(1, free_port(), site.client_tls()),
    ):
        pass
    with pytest.raises(MeasurementFailed, match="POST /api/v1/events/search"):
        Caller(free_port(), Access("t", "s")).search("")


def test_the_index_of_a_data_folder_can_be_asked(tmp_path: Path) -> None:
    with temporary_site(tmp_path) as site:
        settings = site.settings()
        with pytest.raises(RequestError, match="holds no record"):
            search.run(SearchBenchOptions(data=site.paths.root))
        index = open_index(settings, site.paths)
        records = [project(entry, "bench") for entry in entries(received(60, days=2))]
        index.put(records, len(records))
        index.close()
        found = search.run(SearchBenchOptions(data=site.paths.root, asking=QUICK))
        assert found["events"] == 60
        assert found["ingest_per_s"] is None
        counted = SearchableCount(site, settings)
        assert counted() == 60
        counted.close()


def test_records_keep_arriving_until_told_to_stop(tmp_path: Path) -> None:
    class Once(Event):
        """Set after the first batch."""

        @override
        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            self.set()
            return True

    with temporary_site(tmp_path) as site:
        settings = site.settings()
        ready, stop = Event(), Once()
        arriving.keep_arriving(site, settings, 0, 8, ready, stop)
        assert ready.is_set()
        counted = SearchableCount(site, settings)
        assert counted() == 2
        counted.close()


def test_processes_that_have_ended_use_nothing() -> None:
    assert processes.cpu_of_tree(2**22 + 1) == 0
    assert processes.rss_of(2**22 + 1) == 0


def test_rsyslog_is_named_only_with_its_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsyslog, "_SYSTEM_PATH", "/nowhere")
    assert rsyslog.installed() is None


def test_the_benches_leave_nothing_behind(tmp_path: Path) -> None:
    options = SearchBenchOptions(events=40, workers=1, folder=tmp_path, asking=QUICK)
    assert search.run(options)["events"] == 40
    assert not list(tmp_path.iterdir())
