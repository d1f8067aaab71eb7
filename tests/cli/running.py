"""A repository whose receive and project processes run in this one, for commands beside it."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from audit.cli import arr
from audit.errors import AuditError
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.writer import JournalOptions, JournalWriter
from audit.service.project import ProjectRole
from audit.service.receive import ReceiveRole
from audit.simulate.hospital import simulate
from tests.journal.faults import Unsynced
from tests.service.places import Place
from tests.waiting import until

YEAR_NS = 365 * 86_400 * 1_000_000_000


def arr_run(place: Place, *arguments: str) -> Result:
    """A command on that repository; an error shows as its exit code, as in ``main``."""
    result = CliRunner().invoke(arr, [*arguments, "--data", str(place.settings.data)])
    if isinstance(result.exception, AuditError):
        result.exit_code = result.exception.exit_code
    elif result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fill_with_years(
    place: Place, count: int, *, years_ago: float, segment: int = 10
) -> list[bytes]:
    """Simulated messages in the journal, received so long ago."""
    messages = [one.syslog for one in simulate(3, datetime(2026, 1, 5, tzinfo=UTC), events=count)]
    at = time.time_ns() - round(years_ago * YEAR_NS)
    options = JournalOptions(
        key_file=place.paths.signing_key,
        position_file=place.paths.position,
        segment_max_entries=segment,
        reserve_octets=0,
    )
    with JournalWriter.open(place.paths.journal, options, files=Files(Unsynced())) as writer:
        for n, raw in enumerate(messages):
            writer.append([Received(raw, at + n, "tls", "192.0.2.1:6514")])
    return messages


def beside(place: Place, act: Callable[[], None]) -> None:
    """Run ``act`` in a thread while both processes run and the index has caught up."""

    async def body() -> None:
        receive, project = (
            ReceiveRole(place.settings, place.paths),
            ProjectRole(place.settings, place.paths),
        )
        stop = asyncio.Event()
        await receive.start()
        await project.start()
        running = [asyncio.create_task(role.run(stop)) for role in (receive, project)]
        try:
            await asyncio.to_thread(until, lambda: project.status().detail.get("lag") == 0)
            await asyncio.to_thread(act)
        finally:
            stop.set()
            await asyncio.gather(*running)
            await project.stop()
            await receive.stop()

    with capture_logs():  # of the processes, which have another standard output than the command
        asyncio.run(asyncio.wait_for(body(), 300))


def octets_below(folder: Path) -> bytes:
    """All files' octets."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
