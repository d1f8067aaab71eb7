"""A real rsyslog takes the push over mutual TLS: outage, slowness and restarts of both sides."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.journal.reader import JournalReader
from audit.siem.delivery import DeliveryOptions, TlsDelivery
from audit.siem.formats import SiemFormat
from audit.siem.push import Push
from tests import pki
from tests.journal.journals import open_writer
from tests.query.trail import Trail
from tests.siem.pushing import push_to, running
from tests.siem.receiving import Rsyslog
from tests.waiting import until

pytestmark = [pytest.mark.outsider, pytest.mark.slow]

SOURCES = ("ct1", "mr2", "pacs")
NUMBERED = re.compile(r" host-(?P<source>\w+)-(?P<number>\d+) ")


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    with (
        open_writer(tmp_path) as writer,
        JournalReader(tmp_path / "journal", tmp_path / "run" / "journal.position") as reader,
    ):
        yield Trail(writer, reader)


@pytest.fixture
def rsyslog(tmp_path: Path) -> Iterator[Rsyslog]:
    made = Rsyslog(pki.site(tmp_path / "site"), tmp_path / "rsyslog")
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Said:
    """Numbered messages of several sources, and whether a receiver has them as it should."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._next = 0

    def more(self, count: int) -> None:
        for number in range(self._next, self._next + count):
            source = SOURCES[number % len(SOURCES)]
            self._trail.take(f"<85>1 - host-{source}-{number} app - - - x{number}".encode())
        self._next += count
        self._trail.follow()

    def all_in(self, lines: list[str]) -> bool:
        return {int(found["number"]) for found in self._found(lines)} >= set(range(self._next))

    def check(self, lines: list[str]) -> None:
        """Every one, and of each source none before an earlier one."""
        for source in SOURCES:
            came = (one for one in self._found(lines) if one["source"] == source)
            first = dict.fromkeys(int(one["number"]) for one in came)
            assert list(first) == sorted(first)
        assert self.all_in(lines)

    def _found(self, lines: list[str]) -> Iterator[re.Match[str]]:
        return filter(None, map(NUMBERED.search, lines))


def delivery_to(rsyslog: Rsyslog) -> TlsDelivery:
    quick = DeliveryOptions(timeout_s=0.5, acknowledge_s=0.5, trust_after_s=0.05)
    return TlsDelivery("localhost", rsyslog.port, rsyslog.site.client_tls(), quick)


def push_of(rsyslog: Rsyslog, trail: Trail, folder: Path, **options: Any) -> Push:
    given: dict[str, Any] = {"confirm_s": 0.2, "batch_records": 40, "confirm_records": 100}
    return push_to(delivery_to(rsyslog), trail.service().trail, folder, **(given | options))


def test_outage_slowness_and_restarts(trail: Trail, rsyslog: Rsyslog, tmp_path: Path) -> None:
    said = Said(trail)
    said.more(150)
    with running(push_of(rsyslog, trail, tmp_path / "push")) as push:
        until(lambda: said.all_in(rsyslog.lines()))
        until(lambda: push.counters.lag_records <= 1)
        rsyslog.pause()  # slow: what is sent stays in its kernel, then nothing more is taken
        said.more(150)
        until(lambda: push.counters.failures > 0)
        rsyslog.go_on()
        until(lambda: said.all_in(rsyslog.lines()))
        rsyslog.stop()
        said.more(100)
        until(lambda: push.counters.last_failure)
        rsyslog.start()
        until(lambda: said.all_in(rsyslog.lines()), within_s=90)
        said.more(30)
        rsyslog.stop()
        rsyslog.start()
    said.more(30)
    with running(push_of(rsyslog, trail, tmp_path / "push")) as again:
        until(lambda: said.all_in(rsyslog.lines()), within_s=90)
        until(lambda: again.counters.lag_records <= 1)
        assert again.counters.confirmations > 0
    said.check(rsyslog.lines())
    assert len(trail.appended) == 2  # a record for each run


@pytest.mark.parametrize("form", SiemFormat)
def test_every_format_arrives_unchanged(
    trail: Trail, rsyslog: Rsyslog, tmp_path: Path, form: SiemFormat
) -> None:
    said = Said(trail)
    said.more(20)
    shared = trail.service().trail
    push = push_to(delivery_to(rsyslog), shared, tmp_path / "p", form, confirm_s=0.1)
    with running(push):
        until(lambda: push.counters.confirmations)
    records = [one for one in trail.index.records.values() if one.first("listener") == "tls"]
    wanted = [push._parts.formatter.message(one).decode() for one in records]
    assert until(lambda: set(wanted) <= set(rsyslog.lines()))
    assert len(wanted) == 20
