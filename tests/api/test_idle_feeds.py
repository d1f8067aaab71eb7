"""Consumers that wait at an idle repository: one record of the use, and nothing ever wakes them.

Time is given, so that ten minutes of waiting take as long as the questions asked meanwhile.
"""

import asyncio
from dataclasses import dataclass, field

import pytest
from starlette.testclient import TestClient

from audit.api.siem import INDEX_LAG, NEXT_CURSOR
from audit.index.criteria import Criteria
from audit.index.port import Page
from audit.query.access import ALL_SCOPES
from audit.web.options import WebOptions
from tests.web.stack import Stack, application, siem_options

FEED, TAIL = "/siem/v1/events", "/api/v1/events/tail"
TEN_MINUTES_S = 600.0


@dataclass
class Given:
    """A clock that only sleepers move; whatever is journaled meanwhile becomes searchable."""

    made: Stack
    now: float = 1_000.0
    slept: int = 0
    asked: list[Criteria] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += 1
        await asyncio.to_thread(self.made.catch_up)

    def application(self, **web: float) -> TestClient:
        """The application at this clock, asked by whoever may see the repository's own records."""
        options = WebOptions(
            https=False,
            allowed_hosts=("testserver",),
            requests_per_s=10_000.0,
            clock=self,
            sleep=self.sleep,
            **web,  # type: ignore[arg-type]  # seconds
        )
        siem = siem_options(self.made, poll_s=0.5, clock=self, sleep=self.sleep)
        headers = {"Authorization": f"Bearer {self.made.token(*ALL_SCOPES)}"}
        return TestClient(application(self.made, options, siem=siem), headers=headers)


@pytest.fixture
def given(own: Stack, monkeypatch: pytest.MonkeyPatch) -> Given:
    own.add([b"<85>1 - host app - - - one"])
    made, search = Given(own), own.index.search

    def noted(criteria: Criteria, **more: object) -> Page:
        made.asked.append(criteria)
        return search(criteria, **more)  # type: ignore[arg-type]  # as it is asked

    monkeypatch.setattr(own.index, "search", noted)
    return made


def test_ten_minutes_of_polling_a_feed_are_one_record(own: Stack, given: Given) -> None:
    client = given.application()
    first = client.get(FEED)
    assert len(first.text.splitlines()) == 1
    own.catch_up()
    cursor = client.get(FEED, params={"after": first.headers[NEXT_CURSOR]}).headers[NEXT_CURSOR]
    began, looked = given.now, len(given.asked)
    while given.now < began + TEN_MINUTES_S:
        answer = client.get(FEED, params={"after": cursor, "wait": "60"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers[INDEX_LAG] == "0"
        assert answer.headers[NEXT_CURSOR] == cursor
    assert given.slept >= TEN_MINUTES_S / 0.5
    assert len(own.own_records()) == 1
    assert len(given.asked) == looked, "it looks only when the index has moved on"


def test_ten_minutes_without_waiting_are_one_record(own: Stack, given: Given) -> None:
    client = given.application()
    cursor = client.get(FEED).headers[NEXT_CURSOR]
    for _ in range(60):
        given.now += 10.0
        own.catch_up()
        answer = client.get(FEED, params={"after": cursor})
        assert answer.content == b""
        cursor = answer.headers[NEXT_CURSOR]
    assert len(own.own_records()) == 1


def test_a_break_longer_than_a_session_is_another_use(own: Stack, given: Given) -> None:
    client = given.application()
    cursor = client.get(FEED).headers[NEXT_CURSOR]
    given.now += 901.0
    client.get(FEED, params={"after": cursor})
    assert len(own.own_records()) == 2


def test_ten_minutes_of_a_live_tail_are_one_record(own: Stack, given: Given) -> None:
    client = given.application(tail_longest_s=TEN_MINUTES_S)
    filter_id = client.post(TAIL, json={}).json()["id"]
    own.catch_up()
    before = len(own.own_records())
    answer = client.get(f"{TAIL}?filter={filter_id}")
    told = [line for line in answer.text.splitlines() if line.startswith("event:")]
    assert told[-1] == "event: end"
    assert set(told[:-1]) == {"event: heartbeat"}
    assert len(told) >= TEN_MINUTES_S / 10
    assert given.slept >= TEN_MINUTES_S / 0.5
    assert len(own.own_records()) == before + 1
