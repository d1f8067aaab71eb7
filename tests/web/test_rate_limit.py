"""Token buckets against a clock that the test moves."""

from audit.web.rate_limit import TokenBuckets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_burst_then_the_rate() -> None:
    clock = Clock()
    buckets = TokenBuckets(50.0, 100, clock=clock)
    assert all(buckets.spend("a").allowed for _ in range(100))
    refused = buckets.spend("a")
    assert not refused.allowed
    assert refused.headers()["Retry-After"] == "1"
    clock.now = 1.0
    assert sum(buckets.spend("a").allowed for _ in range(60)) == 50


def test_keys_are_apart() -> None:
    buckets = TokenBuckets(1.0, 1, clock=Clock())
    assert buckets.spend("a").allowed
    assert buckets.spend("b").allowed
    assert not buckets.spend("a").allowed


def test_bucket_never_overflows() -> None:
    clock = Clock()
    buckets = TokenBuckets(10.0, 5, clock=clock)
    clock.now = 1000.0
    assert sum(buckets.spend("a").allowed for _ in range(20)) == 5


def test_memory_is_bounded() -> None:
    buckets = TokenBuckets(1.0, 1, max_keys=3, clock=Clock())
    for key in "abcd":
        buckets.spend(key)
    assert len(buckets._buckets) == 3
    assert buckets.spend("a").allowed  # forgotten, so full again
    assert not buckets.spend("d").allowed


def test_headers_say_where_a_caller_stands() -> None:
    headers = TokenBuckets(10.0, 20, clock=Clock()).spend("a").headers()
    assert headers == {
        "RateLimit-Policy": '"principal";q=20;w=2',
        "RateLimit": '"principal";r=19;t=0',
    }
