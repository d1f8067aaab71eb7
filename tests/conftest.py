"""What all tests share."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.elasticsearch_server import elasticsearch_server

__all__ = ["elasticsearch_server"]  # here alone, or each module that asks would start its own

SERVER_TIMEOUT_S = 14_400 if os.environ.get("ARR_LONG") else 600
"""For tests that wait for a server or browser which nobody here wrote."""

ALLOWED = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile(
    "short", max_examples=50, deadline=None, derandomize=True, suppress_health_check=ALLOWED
)
settings.register_profile("long", max_examples=2000, deadline=None, suppress_health_check=ALLOWED)
settings.load_profile("long" if os.environ.get("ARR_LONG") else "short")


SHARED = ("elastic", "browser")
"""Marks of tests that share one server or browser."""

CAMPAIGNS = {"bench", "browser", "contract", "crash", "hapi", "simulate"}
"""Folders of tests that are long for how often they do something, not for what they reach."""


def _repeats_itself(item: pytest.Item) -> bool:
    """Whether the test does one thing over and over: to trace what it reaches would double it."""
    return item.path.parent.name in CAMPAIGNS or is_hypothesis_test(getattr(item, "obj", None))


@pytest.fixture(autouse=True)
def untraced_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that a campaign starts aren't traced either."""
    if request.node.get_closest_marker("no_cover") is not None:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Keep the tests that share one server or browser on one worker, and begin with those.

    They wait more than they work; left to the end they would be waited for. Workers read the
    groups before other hooks run, and the order of tests is drawn in one of those.
    """
    for item in items:
        if _repeats_itself(item):
            item.add_marker(pytest.mark.no_cover)
        for shared in SHARED:
            if shared in item.keywords:
                item.add_marker(pytest.mark.xdist_group(shared))
                item.add_marker(pytest.mark.timeout(SERVER_TIMEOUT_S))
    yield
    items.sort(key=lambda item: not any(shared in item.keywords for shared in SHARED))
