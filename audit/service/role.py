"""What ``serve`` needs to know of a process."""

import asyncio
from typing import Protocol

from audit.service.paths import DataPaths
from audit.service.status import Status
from audit.settings import Settings


class Role(Protocol):
    """One process of the repository."""

    def __init__(self, settings: Settings, paths: DataPaths) -> None: ...

    async def start(self) -> None:
        """Begin work; listeners are bound and recovery is done when this returns."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until asked to stop.

        Raises:
            AuditError: the work can't go on; its exit code ends the process.
        """

    async def stop(self) -> None:
        """Finish what was begun, in bounded time."""

    def status(self) -> Status:
        """What ``/readyz`` and ``/metrics`` tell; called from another thread."""
