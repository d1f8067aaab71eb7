import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from audit.errors import ConfigurationError
from audit.nodes.hospital import Hospital, HospitalOptions
from audit.nodes.registry import STATIONS, Station
from tests.nodes.collector import Collector
from tests.nodes.conftest import Pki, Sink

EVERYTHING: set[tuple[str, ...]] = {
    ("110100", "110120"),
    ("110102",),
    ("110103",),
    ("110104",),
    ("110105",),
    ("110106",),
    ("110107",),
    ("110108", "110124"),
    ("110109",),
    ("110110",),
    ("110111",),
    ("110112",),
    ("110113", "110126"),
    ("110113", "110127"),
    ("110113", "110138"),
    ("110114", "110122"),
    ("110114", "110123"),
}
AT_THE_END: set[tuple[str, ...]] = {("110100", "110121"), ("110108", "110125")}


@pytest.fixture
def collector(pki: Pki) -> Iterator[Collector]:
    made = Collector(pki.node(Station("ARR", "127.0.0.1", "audit repository")))
    yield made
    made.stop()


@pytest.fixture
def options(pki: Pki, tmp_path: Path) -> Callable[..., HospitalOptions]:
    _, key = pki.authority.credentials.write(pki.folder, "ca")

    def make(port: int, **changed: object) -> HospitalOptions:
        plain = {
            "ca_certificate": str(pki.trusted),
            "ca_key": str(key),
            "work_dir": str(tmp_path / "hospital"),
            "syslog_port": port,
            "max_studies": 8,
            **changed,
        }
        return HospitalOptions(**plain)  # type: ignore[arg-type]

    return make


def test_the_first_round_tells_of_everything_and_all_of_it_is_valid(
    collector: Collector, options: Callable[..., HospitalOptions]
) -> None:
    hospital = Hospital(options(collector.port))
    stop = Event()
    running = Thread(target=hospital.run, args=(stop,))
    running.start()
    try:
        missing = collector.wait_for(EVERYTHING)
        assert collector.wait_for_refusal()
    finally:
        began = monotonic()
        stop.set()
        running.join()
        took_s = monotonic() - began
    assert not missing
    assert took_s < 3
    assert not collector.wait_for(AT_THE_END)
    assert {(str(one.tier), str(one.verdict)) for one in collector.found} == {("dicom", "valid")}
    assert not [one for found in collector.found for one in found.findings]
    assert collector.applications == {station.ae_title for station in STATIONS}


def test_a_login_fails_and_another_succeeds(
    collector: Collector, options: Callable[..., HospitalOptions]
) -> None:
    hospital = Hospital(options(collector.port))
    stop = Event()
    running = Thread(target=hospital.run, args=(stop,))
    running.start()
    collector.wait_for(EVERYTHING)
    stop.set()
    running.join()
    outcomes = {
        one.message.event_identification.event_outcome_indicator
        for one in collector.found
        if one.message is not None
        and one.message.event_identification.event_id.csd_code == "110114"
    }
    assert outcomes == {"0", "4"}


def test_options_go_through_json(options: Callable[..., HospitalOptions]) -> None:
    made = options(1, destinations=("WORKSTATION=127.0.0.1:11112",))
    again = HospitalOptions(**json.loads(json.dumps(asdict(made))))
    Hospital(again, lambda _station, _credentials: _Nowhere())
    assert asdict(again) == json.loads(json.dumps(asdict(made)))


@pytest.mark.parametrize("destination", ["", "X", "X=host", "X=host:port", "=host:1"])
def test_a_destination_that_is_none_is_refused(
    options: Callable[..., HospitalOptions], destination: str
) -> None:
    with pytest.raises(ConfigurationError, match="TITLE=host:port"):
        Hospital(options(1, destinations=(destination,)))


def test_a_missing_authority_is_a_configuration_error(
    options: Callable[..., HospitalOptions],
) -> None:
    with pytest.raises(ConfigurationError):
        Hospital(options(1, ca_key="/nonexistent/ca.key"))


def test_the_archive_takes_another_title_and_starts_full(
    options: Callable[..., HospitalOptions], sink: Sink
) -> None:
    made = options(1, ae_title="ARCHIVE2")
    hospital = Hospital(made, lambda _station, _credentials: _Into(sink))
    peer = hospital.start()
    try:
        assert peer.station.ae_title == "ARCHIVE2"
        assert peer.port
        assert len(sink.of("110100", "110120")) == len(STATIONS)
    finally:
        hospital.stop()
    assert len(sink.of("110100", "110121")) == len(STATIONS)


class _Nowhere:
    def emit(self, message: object) -> None:
        raise AssertionError(message)

    def close(self, drain_s: float) -> int:
        return int(drain_s * 0)


class _Into:
    def __init__(self, sink: Sink) -> None:
        self.emit = sink.emit

    def close(self, drain_s: float) -> int:
        return int(drain_s * 0)
