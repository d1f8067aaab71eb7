"""A repository behind a real server, and clients of it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.client import ClientOptions, RepositoryClient
from audit.web.options import WebOptions
from tests.web.servers import serving
from tests.web.stack import Stack, application, hospital_day, stack

Connected = contextlib.AbstractContextManager[RepositoryClient]
Connect = Callable[..., Connected]

QUICK = {
    "https": False,
    "allowed_hosts": ("127.0.0.1",),
    "tail_poll_s": 0.01,
    "tail_heartbeat_s": 0.05,
}


@contextlib.contextmanager
def connected(
    made: Stack,
    *scopes: str,
    web: dict[str, Any] | None = None,
    wait: Callable[[float], object] | None = None,
    **options: Any,
) -> Iterator[RepositoryClient]:
    """A client with a token of these scopes, all that read when none is named."""
    limits = WebOptions(**(QUICK | (web or {})))  # type: ignore[arg-type]  # many types
    with serving(application(made, limits), limits) as port:
        told = ClientOptions(
            url=f"http://127.0.0.1:{port}", token=made.token(*scopes), timeout_s=10, **options
        )
        with RepositoryClient(told, wait=wait) as client:
            yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A repository that tests only read."""
    with stack(tmp_path_factory.mktemp("client")) as made:
        made.add(hospital_day(120))
        yield made


@pytest.fixture(scope="module")
def client(shared: Stack) -> Iterator[RepositoryClient]:
    with connected(shared, page=50) as made:
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A repository of one test's own."""
    with stack(tmp_path) as made:
        yield made
