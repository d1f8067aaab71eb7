"""Retention on a schedule: by a configured policy only, at its interval, across restarts."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from audit.errors import ConfigurationError
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.service import serve
from audit.service.retention import Retention
from audit.service.retention_schedule import RetentionSchedule
from audit.transport.pki import CertificateAuthority
from tests.cli.running import beside, fill_with_years
from tests.service.places import Place, make_place
from tests.waiting import until

POLICY = """
[[rule]]
category = "*"
maximum = "10 years"
legal_basis = "by-law 7"
"""
HOUR_NS = 3_600_000_000_000


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    rules = tmp_path / "rules.toml"
    rules.write_text(POLICY)
    made = make_place(
        tmp_path, authority, journal__retention_policy=rules, journal__retention_interval_h=2
    )
    fill_with_years(made, 30, years_ago=11)
    return made


def removed(place: Place) -> int:
    with JournalReader(place.paths.journal) as reader:
        return sum(reader.read(n).is_removed for n in range(30))


def test_it_runs_when_it_is_due_and_not_again(place: Place) -> None:
    async def keep() -> None:
        stop = asyncio.Event()
        keeping = asyncio.create_task(RetentionSchedule(place.settings).keep(stop, 0.01))
        await asyncio.to_thread(until, lambda: not RetentionSchedule(place.settings).is_due())
        stop.set()
        await keeping

    assert RetentionSchedule(place.settings).is_due()
    beside(place, lambda: asyncio.run(keep()))
    assert removed(place) == 20
    assert verify(place.paths.journal).violations == ()
    ran = int((place.paths.state.parent / "retention-run.json").read_text()[7:26])
    for hours, due in ((-1, True), (0, False), (1.9, False), (2, True)):
        now = ran + round(hours * HOUR_NS)
        assert RetentionSchedule(place.settings, partial(int, now)).is_due() is due


def test_without_a_configured_policy_nothing_goes(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    bare = make_place(tmp_path, authority)
    (bare.settings.data / "retention.toml").write_text(POLICY)
    schedule = RetentionSchedule(bare.settings)
    assert not schedule.is_due()
    assert schedule.run_once() == 0
    asyncio.run(schedule.keep(asyncio.Event()))


def test_a_failure_is_told_and_tried_again(place: Place) -> None:
    """Nobody takes records, so nothing may be removed; and then the policy is wrong."""

    async def keep(times: int) -> None:
        stop = asyncio.Event()
        schedule = RetentionSchedule(place.settings)
        tried = 0
        attempt = schedule._try

        def count() -> None:
            nonlocal tried
            attempt()
            tried += 1

        schedule._try = count  # type: ignore[method-assign]
        keeping = asyncio.create_task(schedule.keep(stop, 0.001))
        await asyncio.to_thread(until, lambda: tried >= times)
        stop.set()
        await keeping

    asyncio.run(keep(2))
    assert removed(place) == 0
    policy = place.settings.journal.retention_policy
    assert policy is not None
    policy.write_text("[[rule]]")
    with pytest.raises(ConfigurationError):
        RetentionSchedule(place.settings).run_once()


def test_a_stop_ends_a_run_between_two_segments(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = RetentionSchedule(place.settings)
    record = Retention.__dict__["_finish"]

    def stop_then_finish(retention: Retention) -> object:
        schedule.stop()
        return record(retention)

    monkeypatch.setattr(Retention, "_finish", stop_then_finish)
    beside(place, schedule._try)
    assert removed(place) == 0
    assert schedule.is_due()


def test_the_process_that_follows_the_journal_keeps_the_times(place: Place) -> None:
    async def ended(name: str) -> bool:
        stop = asyncio.Event()
        task = serve._beside(name, place.settings, stop)
        await asyncio.sleep(0.01)
        done = task.done()
        stop.set()
        await task
        return done

    assert not asyncio.run(ended("project"))
    assert asyncio.run(ended("web"))
