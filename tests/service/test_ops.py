import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from audit.service.ops import create_ops_app
from audit.service.paths import DataPaths
from audit.service.status import Status, write_status


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    paths = DataPaths(tmp_path / "data")
    paths.prepare()
    return paths


def put(paths: DataPaths, role: str, *, ready: bool = True, age_s: float = 0) -> None:
    status = Status(
        role=role,
        ready=ready,
        pid=7,
        updated=time.time_ns() - int(age_s * 1e9),
        detail={"sequence": 3},
        metrics=f"arr_{role}_up 1\n",
    )
    write_status(paths.status(role), status)


def client(paths: DataPaths) -> TestClient:
    return TestClient(create_ops_app(paths, lambda: {"receive": 2}))


def test_ready_when_every_process_is(paths: DataPaths) -> None:
    for role in ("receive", "project", "web"):
        put(paths, role)
    answer = client(paths).get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["degraded"] is False
    assert answer.json()["checks"]["receive"] == {"ready": True, "pid": 7, "sequence": 3}


def test_ready_but_degraded_without_index_and_pages(paths: DataPaths) -> None:
    put(paths, "receive")
    put(paths, "project", age_s=60)
    answer = client(paths).get("/readyz").json()
    assert (answer["status"], answer["degraded"]) == ("ready", True)
    assert answer["checks"]["project"]["reason"] == "silent for some seconds"
    assert answer["checks"]["web"]["reason"] == "not running"


def test_not_ready_when_nothing_is_journaled(paths: DataPaths) -> None:
    put(paths, "receive", ready=False)
    assert client(paths).get("/readyz").status_code == 503


def test_metrics_of_all_processes_stand_together(paths: DataPaths) -> None:
    put(paths, "receive")
    text = client(paths).get("/metrics").text
    assert "arr_receive_up 1\n" in text
    assert 'arr_process_restarts_total{process="receive"} 2' in text
    assert "arr_build_info{version=" in text


def test_alive_and_nothing_else(paths: DataPaths) -> None:
    assert client(paths).get("/livez").text == "ok\n"
    assert client(paths).get("/openapi.json").status_code == 404
