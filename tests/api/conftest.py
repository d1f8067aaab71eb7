"""A small repository with an API client in front of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.web.stack import PLAIN, Stack, application, hospital_day, stack


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


def client_of(made: Stack, *scopes: str, app: FastAPI | None = None) -> TestClient:
    """A client with a new token of these scopes; its own application unless one is given."""
    headers = {"Authorization": f"Bearer {made.token(*scopes)}"}
    return TestClient(app or application(made), headers=headers)


@pytest.fixture(scope="module")
def shared_app(shared: Stack) -> FastAPI:
    """Made once: it takes longer than most requests."""
    return application(shared, replace(PLAIN, requests_per_s=1000, request_burst=1000))


@pytest.fixture
def client(shared: Stack, shared_app: FastAPI) -> Iterator[TestClient]:
    with client_of(shared, app=shared_app) as made:
        yield made


@pytest.fixture
def own_client(own: Stack) -> Iterator[TestClient]:
    with client_of(own) as made:
        yield made
