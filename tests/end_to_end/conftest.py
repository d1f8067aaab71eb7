from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.demo_run import DemoRun, kill_group, start_demo, stop_demo


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    """One demo for all tests that only look and send; other tests don't wait beside it."""
    data: Path = tmp_path_factory.mktemp("demo") / "data"
    run = start_demo(data, "--http-port", "0", "--syslog-port", "0", "--seed", "5")
    try:
        yield run
        stop_demo(run)
    finally:
        kill_group(run.process)
