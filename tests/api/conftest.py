"""A small repository with an API client in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web.stack import Stack, application, hospital_day, stack


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A repository that tests only read."""
    with stack(tmp_path_factory.mktemp("api")) as made:
        made.add(hospital_day(120))
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A repository of one test's own."""
    with stack(tmp_path) as made:
        yield made


def client_of(made: Stack, *scopes: str) -> TestClient:
    """A client with a new token of these scopes."""
    headers = {"Authorization": f"Bearer {made.token(*scopes)}"}
    return TestClient(application(made), headers=headers)


@pytest.fixture
def client(shared: Stack) -> Iterator[TestClient]:
    with client_of(shared) as made:
        yield made


@pytest.fixture
def own_client(own: Stack) -> Iterator[TestClient]:
    with client_of(own) as made:
        yield made
