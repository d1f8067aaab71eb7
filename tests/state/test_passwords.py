import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from audit.state.options import PasswordOptions
from audit.state.passwords import Passwords
from audit.state.throttle import TryLater
from tests.state.conftest import CHEAP


def test_only_so_many_are_computed_at_once() -> None:
    passwords = Passwords(replace(CHEAP, max_at_once=2))
    together = 0
    most = 0
    mutex = threading.Lock()

    def sign_in(_number: int) -> None:
        nonlocal together, most
        with passwords.turn():
            with mutex:
                together += 1
                most = max(most, together)
            passwords.is_right(None, "guess")
            with mutex:
                together -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sign_in, range(40)))
    assert 1 <= most <= 2


def test_who_waits_too_long_is_sent_away() -> None:
    passwords = Passwords(replace(CHEAP, max_at_once=1, wait_s=0.01))
    with passwords.turn(), pytest.raises(TryLater) as caught, passwords.turn():
        pass
    assert caught.value.retry_after_s > 0
    with passwords.turn():
        pass


def test_argon2id_with_the_parameters_that_are_set() -> None:
    stored = Passwords(CHEAP).hash("a long password")
    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert Passwords(CHEAP).is_right(stored, "a long password")
    assert not Passwords(CHEAP).is_right(stored, "another password")
    assert not Passwords(CHEAP).is_right("nonsense", "a long password")
    assert Passwords(PasswordOptions()).is_outdated(stored)


def test_nobody_has_the_password_of_nobody() -> None:
    assert not Passwords(CHEAP).is_right(None, "nobody's password")
