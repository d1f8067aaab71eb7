"""What all tests share."""

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.elasticsearch_server import ElasticsearchServer, running_elasticsearch
from tests.scheduling import SERVER, scheduler, scope_of
from tests.tracing import TRACING

SERVER_TIMEOUT_S = 14_400 if os.environ.get("ARR_LONG") else 600
"""For tests that wait for a server or browser which nobody here wrote."""

ALLOWED = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile(
    "short", max_examples=30, deadline=None, derandomize=True, suppress_health_check=ALLOWED
)
settings.register_profile("long", max_examples=2000, deadline=None, suppress_health_check=ALLOWED)
settings.load_profile("long" if os.environ.get("ARR_LONG") else "short")


SHARED = ("elastic", "browser")
"""Marks of tests that share one server or browser."""

CAMPAIGNS = {"bench", "browser", "contract", "crash", "end_to_end", "hapi", "simulate"}
"""Folders of tests that are long for how often they do something, not for what they reach."""

WORKER = "PYTEST_XDIST_WORKER"
"""The name of a worker, where there are several."""

TRACED_CASES = 2
"""Cases of one parametrised test that are traced: further ones reach little else."""


def _repeats_itself(item: pytest.Item) -> bool:
    """Whether the test does one thing over and over: to trace what it reaches would double it."""
    is_campaign = item.path.parent.name in CAMPAIGNS
    return is_campaign or is_hypothesis_test(getattr(item, "obj", None)) or _is_late_case(item)


def _is_late_case(item: pytest.Item) -> bool:
    indices = getattr(getattr(item, "callspec", None), "indices", {})
    return max(indices.values(), default=0) >= TRACED_CASES


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[ElasticsearchServer]:
    """One server for all tests of the session."""
    with running_elasticsearch() as server:
        yield server


@pytest.fixture(autouse=True)
def untraced_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that a campaign starts aren't traced either."""
    if request.node.get_closest_marker("no_cover") is not None:
        monkeypatch.delenv(TRACING, raising=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: left to the end it would be waited for."""
    for item in items:
        if _repeats_itself(item):
            item.add_marker(pytest.mark.no_cover)
        if any(shared in item.keywords for shared in SHARED):
            item.add_marker(pytest.mark.timeout(SERVER_TIMEOUT_S))
    slow = {scope_of(item.nodeid) for item in items if "slow" in item.keywords}
    items.sort(key=lambda item: _rank(scope_of(item.nodeid), slow))


def _rank(scope: str, slow: set[str]) -> tuple[bool, bool, bool]:
    return scope != SERVER, "browser" not in scope, scope not in slow


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Let tests share workers by what they share otherwise."""
    return scheduler(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Workers trace what they are told to, and not, as any process of ours, all that they do."""
    os.environ.pop(TRACING, None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """End what pytest-cov begins in a worker as in who started it: it traces while ours pauses."""
    begun = _controller(session.config)
    if WORKER in os.environ and begun is not None:
        begun.cov.stop()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Every worker imports everything; one of them traces it."""
    if os.environ.get(WORKER, "gw0") == "gw0":
        return (yield)
    with untraced(session.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """Trace what tests do, not what is made for them: that would take them as long again."""
    with untraced(request.config):
        return (yield)


@contextmanager
def untraced(config: pytest.Config) -> Iterator[None]:
    """Coverage counts nothing meanwhile, where it counts at all."""
    tracing = _tracing(config)
    if tracing is None:
        yield
        return
    tracing.pause()
    try:
        yield
    finally:
        tracing.resume()


def _tracing(config: pytest.Config) -> Any:
    """What pytest-cov traces with; None while it doesn't."""
    controller = _controller(config)
    return controller if controller is not None and controller.started else None


def _controller(config: pytest.Config) -> Any:
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


def pytest_collection_finish() -> None:
    """All that was collected stays: it need not be looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
