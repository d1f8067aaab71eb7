"""A browser of a few lines: keeps cookies, fills in the forms it was shown."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from tests.web.stack import PASSWORD, Stack, dashboard, hospital_day, stack

TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


class Visit:
    """Somebody at a browser."""

    def __init__(self, made: Stack, app: FastAPI | None = None) -> None:
        self.client = TestClient(app or dashboard(made), follow_redirects=False)
        self.client.headers["Accept"] = "text/html"

    def get(self, path: str) -> Response:
        """A page."""
        return self.client.get(path)

    def token(self, path: str = "/sign-in") -> str:
        """The form token that a page shows."""
        found = TOKEN.search(self.get(path).text)
        assert found is not None, path
        return found[1]

    def post(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        shown_on: str = "/search",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a form that ``shown_on`` showed."""
        form = {"form_token": self.token(shown_on), **fields}
        return self.client.post(path, data=form, headers=dict(headers or {}))

    def sign_in(self, name: str, password: str = PASSWORD, path: str = "/") -> Response:
        """Sign in through the form."""
        fields = {"name": name, "password": password, "next": path}
        return self.post("/sign-in", fields, shown_on="/sign-in")

    def search(self, **fields: str) -> Response:
        """Search through the form and open what it leads to."""
        answer = self.post("/search", fields)
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A repository that tests only read, with an account ``officer``."""
    with stack(tmp_path_factory.mktemp("pages")) as made:
        made.add(hospital_day(150))
        made.account()
        yield made


@pytest.fixture(scope="module")
def visit(shared: Stack) -> Visit:
    """The officer, signed in."""
    made = Visit(shared)
    assert made.sign_in("officer").status_code == 303
    return made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A repository of one test's own, with an account ``officer``."""
    with stack(tmp_path) as made:
        made.account()
        yield made


@pytest.fixture
def own_visit(own: Stack) -> Visit:
    """The officer of one test's own repository, signed in."""
    made = Visit(own)
    made.sign_in("officer")
    return made
