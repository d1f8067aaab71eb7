"""How many processes project where nobody says it."""

import os

import pytest

from audit.service.project import worker_count


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 0), (3, 1), (6, 4), (64, 4)])
def test_workers_take_the_cores_that_are_left(
    monkeypatch: pytest.MonkeyPatch, cores: int, workers: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(cores)))
    assert worker_count(None) == workers
    assert worker_count(0) == 0
    assert worker_count(7) == 7
