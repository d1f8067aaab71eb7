"""A push as the service makes it, on a trail of the test's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from audit.query.access import ALL_SCOPES, Principal
from audit.query.audited_trail import AuditedTrail
from audit.siem.delivery import Delivery
from audit.siem.feed import Feed
from audit.siem.formats import SiemFormat
from audit.siem.kept_place import DeadLetters, KeptPlace
from audit.siem.push import Push, PushOptions, PushParts
from tests.siem.records import formatter

Pushing = Callable[..., Push]
"""Makes a push with these options."""

PUSHER = Principal("push-siem", scopes=frozenset(ALL_SCOPES), kind="process")


def push_to(
    delivery: Delivery,
    trail: AuditedTrail,
    folder: Path,
    form: SiemFormat = SiemFormat.SYSLOG,
    **options: Any,
) -> Push:
    """A push whose place and dead letters lie in the folder."""
    parts = PushParts(
        Feed(trail, PUSHER),
        formatter(form),
        delivery,
        KeptPlace(folder / "siem.json", trail.reader.origin),
        DeadLetters(folder / "siem.dead.ndjson"),
    )
    given: dict[str, Any] = {"poll_s": 0.01, "first_backoff_s": 0.01, "longest_backoff_s": 0.05}
    return Push(parts, PushOptions(name="siem", **(given | options)))


@contextmanager
def running(push: Push) -> Iterator[Push]:
    """The push in a thread of its own."""
    stop = Event()
    thread = Thread(target=push.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield push
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
