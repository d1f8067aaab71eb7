"""``arr demo``: its files and what it shows."""

from pathlib import Path

import httpx2
import pytest

from audit.journal.reader import JournalReader
from tests.end_to_end.demo_run import (
    DemoRun,
    run_arr,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EVENT_TYPES = {
    "110100": ("110120",),
    "110101": (),
    "110102": (),
    "110103": (),
    "110104": (),
    "110105": (),
    "110106": (),
    "110107": (),
    "110108": ("110124",),
    "110109": (),
    "110110": (),
    "110111": (),
    "110112": (),
    "110113": ("110126", "110127"),
    "110114": ("110122",),
}


def test_the_access_file_holds_what_a_program_needs(demo: DemoRun) -> None:
    access = demo.access
    assert set(access) == {
        "url", "ca", "username", "password", "token", "syslog", "dicom", "client",
    }  # fmt: skip
    assert set(access["syslog"]) == {"host", "tls_port", "udp_port"}
    assert set(access["dicom"]) == {"host", "port", "ae_title"}
    assert set(access["client"]) == {"cert", "key", "ca", "p12", "p12_password"}
    for name in ("cert", "key", "ca", "p12"):
        assert Path(access["client"][name]).is_absolute()
        assert Path(access["client"][name]).exists()


@pytest.mark.parametrize("event", sorted(EVENT_TYPES))
def test_every_event_of_the_standard_arrives_valid(demo: DemoRun, event: str) -> None:
    query = f"event:{event} -finding:clock-skew"
    items = demo.found(query)
    for code in EVENT_TYPES[event]:
        items += demo.found(f"event:{event} type:{code}")
    for item in items:
        assert item["tier"] in {"dicom", "ihe"}, item
        assert item["severity"] != "error", item
        assert item["verdict"] == "valid"


def test_each_event_is_found_by_the_patient_user_and_study_it_carries(demo: DemoRun) -> None:
    for event in sorted(EVENT_TYPES):
        item = demo.found(f"event:{event}")[-1]
        for field in ("patient", "user", "study", "accession", "node"):
            for value in item[field][:1]:
                quoted = value.replace("\\", r"\\").replace('"', r"\"")
                found = demo.search(f'{field}:"{quoted}" event:{event}', 1000)["items"]
                assert item["id"] in {one["id"] for one in found}, (field, item)


def test_the_exact_octets_can_be_had(demo: DemoRun) -> None:
    item = demo.found("category:query")[0]
    with demo.http as client:
        raw = client.get(f"/api/v1/events/{item['id']}/message").content
        event = client.get(f"/api/v1/events/{item['sequence']}").json()
    assert b"<AuditMessage" in raw
    assert event["id"] == item["id"]
    with JournalReader(demo.data / "journal") as reader:
        assert reader.read(item["sequence"]).received.raw == raw


def test_a_query_is_shown_with_the_keys_that_were_asked_for(demo: DemoRun) -> None:
    items = demo.found("category:query has:key")
    assert any(item["query_key"] for item in items)


def test_refused_nodes_are_reported_by_the_archive_and_by_the_repository(demo: DemoRun) -> None:
    assert demo.found("type:110126 node:demo-repository")
    assert demo.found("type:110126 -node:demo-repository")


def test_without_a_token_nothing_is_told(demo: DemoRun) -> None:
    with httpx2.Client(base_url=demo.access["url"], timeout=120) as client:
        assert client.post("/api/v1/events/search", json={"query": ""}).status_code == 401
        assert client.get("/api/v1/events/1").status_code == 401


def test_searching_is_itself_found(demo: DemoRun) -> None:
    demo.search("patient:nobody-has-this-id")
    item = demo.found("category:audit-log-used nobody-has-this-id")[0]
    assert item["user"]


def test_the_command_line_searches_and_shows(demo: DemoRun) -> None:
    demo.found("category:export")
    listed = demo.run_arr("search", "category:export", "--limit", "3", "--json")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count(b'"id"') >= 1
    shown = demo.run_arr("show", "0")
    assert shown.returncode == 0
    assert b"110100" in shown.stdout
    raw = demo.run_arr("show", "0", "--raw")
    with JournalReader(demo.data / "journal") as reader:
        assert raw.stdout == reader.read(0).received.raw
    assert demo.run_arr("show", "99999999").returncode == 1


def test_the_journal_verifies_while_it_is_written(demo: DemoRun) -> None:
    checked = demo.run_arr("verify", "--json")
    assert checked.returncode == 0, checked.stdout


def test_doctor_finds_a_running_repository_well(demo: DemoRun) -> None:
    assert run_arr("doctor", "--live", "--data", str(demo.data)).returncode == 0
