"""A whole repository in this process: receive, project and web, on a loop of their own thread."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

from audit.service.operator import administering
from audit.service.project import ProjectRole
from audit.service.receive import ReceiveRole
from audit.service.web import WebRole
from tests.service.places import Place
from tests.waiting import until


@dataclass(frozen=True)
class Whole:
    """A running repository: its address, and how its web process counts requests."""

    place: Place
    web: WebRole

    @property
    def address(self) -> str:
        return f"http://localhost:{self.web.status().detail['port']}"

    def token(self, *scopes: str) -> str:
        """A new API token."""
        with administering(self.place.settings) as administration:
            administration.record("A token for the test")
            tokens = administration.state.tokens
            return tokens.create("t", "tester", frozenset(scopes), 3600).secret


@contextmanager
def whole(place: Place) -> Iterator[Whole]:
    """All three roles, until the end of the block."""
    web = WebRole(place.settings, place.paths)
    project = ProjectRole(place.settings, place.paths)
    roles = (ReceiveRole(place.settings, place.paths), project, web)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with AsyncExitStack() as stack:
            running = []
            for role in roles:
                await role.start()
                stack.push_async_callback(role.stop)
                running.append(asyncio.create_task(role.run(stop)))
            await asyncio.gather(*running)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        until(lambda: web.status().ready and project.status().ready, within_s=90)
        yield Whole(place, web)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
