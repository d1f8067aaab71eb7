"""Each command works and has its shape; how fast it is says nothing on a test machine."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from audit.bench import rsyslog
from audit.bench.ingest_options import IngestOptions
from audit.bench.into_elasticsearch import measure_into_elasticsearch
from audit.bench.questions import AskingOptions
from audit.bench.search import SearchBenchOptions
from audit.bench.search import run as measure_searches
from audit.cli import arr
from audit.errors import RequestError
from tests.elasticsearch_server import ElasticsearchServer
from tests.needs import missing

MACHINE = {"version", "taken", "python", "compiled", "system", "cores", "load_1min"}
LATENCY = {"p50_ms", "p99_ms", "n"}
STAGES = {"lxml", "parse", "schema", "rules", "judge", "map", "whole"}


def figures(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(arr, ["bench", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    assert set(found["machine"]) == MACHINE
    return found


def text(*arguments: str) -> str:
    result = CliRunner().invoke(arr, ["bench", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_validate() -> None:
    found = figures("validate", "--messages", "30", "--rounds", "2")
    assert found["messages"] == 30
    for name in ("per_s", "us_per_message", "ratio_to_lxml"):
        assert set(found[name]) == STAGES
        assert all(value > 0 for value in found[name].values())
    assert found["whole_to_lxml"] > 1


def test_push() -> None:
    found = figures("push", "--backlog", "30", "--messages", "5")
    for name in ("without_push", "with_push"):
        assert set(found[name]) == LATENCY
        assert found[name]["n"] == 5
        assert found[name]["p99_ms"] > 0
    assert found["ratio_p99"] > 0
    assert found["pushed_meanwhile"] >= 0


def test_figures_for_people() -> None:
    shown = text("validate", "--messages", "5", "--rounds", "1")
    assert "whole_to_lxml" in shown
    assert "ratio_to_lxml" in shown


def test_journal() -> None:
    found = figures("journal", "--records", "600", "--batch", "100")
    assert found["intact"] is True
    assert found["bytes_per_record"] > found["octets_per_message"]
    for name in (
        "appended_per_s",
        "bare_per_s",
        "ratio_to_bare",
        "verify_mb_per_s",
        "sha256sum_mb_per_s",
        "verify_to_sha256sum",
        "segment_change_ms",
        "sealed_bytes_per_record",
    ):
        assert found[name] > 0
    assert set(found["ratio_by_batch"]) == {"32", "100", "256", "1024"}
    assert min(found["ratio_by_batch"].values()) > 0
    assert found["sealed_intact"] is True


def test_search() -> None:
    arguments = ["--events", "300", "--days", "45", "--times", "3", "--arriving", "20", "--json"]
    result = CliRunner().invoke(arr, ["bench", "search", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    told = [line.partition(":")[0] for line in result.stderr.splitlines()]
    assert told == ["putting records", "sealing months that are past", "asking embedded"]
    found: dict[str, Any] = json.loads(result.stdout)
    queries = found["queries"]
    expected = {"patient", "user", "study", "address", "text", "prefix", "combined"}
    assert set(queries) == expected | {"deep_page", "histogram", "facets", "export"}
    for name, told in queries.items():
        assert set(told) >= LATENCY, name
    assert queries["export"]["records"] >= 300
    assert found["ingest_per_s"] > 0
    assert found["bytes_per_event"] > 0
    assert found["elasticsearch"] is None


@pytest.mark.elastic
@pytest.mark.slow
def test_search_beside_elasticsearch(elasticsearch_server: ElasticsearchServer) -> None:
    found = measure_searches(
        SearchBenchOptions(
            events=600,
            days=45,
            batch=40,
            workers=1,
            elasticsearch=elasticsearch_server.url,
            asking=AskingOptions(times=2),
        )
    )
    for told in (found, found["elasticsearch"]):
        assert told["queries"]["export"]["records"] == 600
        assert told["ingest_per_s"] >= found["filled_per_s"] > 0
        assert told["bytes_per_event"] > 0


@pytest.mark.slow
def test_outage() -> None:
    found = figures("outage", "--seconds", "0.2", "--rounds", "1", "--arriving", "50")
    ways = {"failing", "hangs up", "busy", "unavailable", "html", "silent"}
    assert set(found["durable"]) == {"well", *ways}
    assert all(set(told) == LATENCY and told["n"] > 0 for told in found["durable"].values())
    assert set(found["p99_to_well"]) == ways
    assert all(ratio > 0 for ratio in found["p99_to_well"].values())
    assert found["requests_failed"] > 0
    assert found["caught_up_s"] >= 0


@pytest.mark.slow
def test_ingest() -> None:
    found = figures(
        *("ingest", "--seconds", "0.2", "--senders", "1", "--workers", "1", "--messages", "100"),
        *("--sustain", "1000"),
    )
    assert found["durable_per_s"] > 0
    assert found["searchable_per_s"] > 0
    assert found["searchable_records"] >= 250
    assert set(found["searchable_cpu_us"]) == {"receive", "project"}
    assert found["sustained_records"] >= 1000
    assert len(found["sustained_per_s_by_tenth"]) == 10
    assert min(found["sustained_per_s_by_tenth"]) > 0
    assert found["last_tenth_to_first"] > 0
    assert found["index_octets_per_record"] > 0
    assert found["rsyslog_elasticsearch_per_s"] is None
    if rsyslog.installed() is None:
        assert found["rsyslog_per_s"] is None
        assert found["ratio_to_rsyslog"] is None
    else:
        assert found["ratio_to_rsyslog"] > 0


@pytest.mark.elastic
@pytest.mark.slow
def test_rsyslog_into_elasticsearch(elasticsearch_server: ElasticsearchServer) -> None:
    if rsyslog.installed() is None or not rsyslog.has_elasticsearch():
        missing("rsyslog-elasticsearch is not installed")
    found = measure_into_elasticsearch(
        IngestOptions(seconds=0.2, senders=1, messages=100, elasticsearch=elasticsearch_server.url)
    )
    assert found["rsyslog_elasticsearch_per_s"] > 0
    assert found["rsyslog_elasticsearch_bytes"] > 100


@pytest.mark.slow
def test_connections() -> None:
    found = figures("connections", "12", "--seconds", "1")
    assert found["connections"] == 12
    assert found["still_open"] is True
    assert set(found["rss_mb"]) == {"before", "idle", "busy"}
    assert found["durable_per_s"]["beside"] > 0


@pytest.mark.slow
def test_api() -> None:
    spread = ("--events", "60", "--days", "45")
    found = figures("api", *spread, "--times", "2", "--arriving", "20")
    assert {"patient", "requestor", "study", "patient_pivot", "facets", "home_page"} <= set(
        found["queries"]
    )
    assert all(set(told) == LATENCY for told in found["queries"].values())
    assert found["named_p99_ms"] >= found["queries"]["patient"]["p99_ms"]
    assert found["arrived_per_s"] > 0


@pytest.mark.parametrize(
    "url", ["http://search.example:9200", "http://10.0.0.1:9200", "http://127.0.0.1"]
)
def test_elasticsearch_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(RequestError):
        measure_into_elasticsearch(IngestOptions(elasticsearch=url))
    result = CliRunner().invoke(arr, ["bench", "search", "--with-elasticsearch", url])
    assert result.exit_code != 0
    assert "on this machine" in str(result.exception)
