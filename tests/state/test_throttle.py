from collections.abc import Iterator

import pytest

from audit.state.database import Database
from audit.state.options import ThrottleOptions
from audit.state.throttle import Throttle, TryLater
from tests.state.conftest import Clock

OPTIONS = ThrottleOptions(free_attempts=2, free_attempts_per_address=4)


@pytest.fixture
def database(url: str, clock: Clock) -> Iterator[Database]:
    opened = Database(url, clock=clock)
    yield opened
    opened.close()


def pause_s(throttle: Throttle, account: str = "a", address: str = "h") -> float:
    try:
        throttle.check(account, address)
    except TryLater as error:
        return error.retry_after_s
    return 0.0


def test_the_pause_doubles_up_to_its_most(database: Database) -> None:
    throttle = Throttle(database, OPTIONS)
    pauses = []
    for _ in range(14):
        throttle.failed("a", "h")
        pauses.append(pause_s(throttle, address="elsewhere"))
    assert pauses[:6] == [0, 1, 2, 4, 8, 16]
    assert pauses[-1] == 900


def test_one_address_guessing_many_accounts(database: Database) -> None:
    throttle = Throttle(database, OPTIONS)
    for number in range(4):
        assert pause_s(throttle, f"a{number}") == 0
        throttle.failed(f"a{number}", "h")
    assert pause_s(throttle, "a9") == 1
    assert pause_s(throttle, "a9", "elsewhere") == 0


def test_success_forgives_the_account_not_the_address(database: Database) -> None:
    throttle = Throttle(database, OPTIONS)
    for _ in range(4):
        throttle.failed("a", "h")
    throttle.succeeded("a")
    assert pause_s(throttle, "a", "elsewhere") == 0
    assert pause_s(throttle, "a", "h") == 1


def test_old_failures_count_no_more(database: Database, clock: Clock) -> None:
    throttle = Throttle(database, OPTIONS)
    for _ in range(3):
        throttle.failed("a", "h")
    clock.pass_s(OPTIONS.forget_after_s + 1)
    throttle.failed("a", "h")
    assert pause_s(throttle) == 0
    clock.pass_s(OPTIONS.forget_after_s + 1)
    assert throttle.cleanup(100) == 2
