import pytest

from audit.web.errors import TooManyRequests
from audit.web.places import Places
from audit.web.uses import Uses


def test_one_principal_does_not_take_all_places() -> None:
    places = Places("exports", most=3, most_per_key=2)
    first = places.take("a")
    places.take("a")
    with pytest.raises(TooManyRequests, match="exports"):
        places.take("a")
    places.take("b")
    with pytest.raises(TooManyRequests):
        places.take("c")
    first()
    first()
    assert places.taken == 2
    places.take("c")


def test_a_use_goes_on_until_it_is_idle() -> None:
    now = 0.0
    uses = Uses(10.0, most=2, clock=lambda: now)
    assert not uses.goes_on("a")
    uses.see("a")
    now = 9.0
    assert uses.goes_on("a")
    now = 10.0
    assert not uses.goes_on("a")
    for key in "abc":
        uses.see(key)
    assert [uses.goes_on(key) for key in "abc"] == [False, True, True]
    uses.end("c")
    assert not uses.goes_on("c")
