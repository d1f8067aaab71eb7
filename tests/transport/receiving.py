"""A receiver with a sink that tests steer, and waiting with a deadline."""

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

from audit.errors import StorageError
from audit.transport.arrival import Arrival, Counters, Refusal
from audit.transport.receiver import SyslogReceiver
from audit.transport.receiver_options import ReceiverOptions
from tests.pki import Site

DEADLINE_S = 10.0


@dataclass
class Sink:
    """Keeps what arrives. Settles at once, unless told to hold."""

    arrivals: list[Arrival] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    settles: bool = True
    full: bool = False
    receiver: SyslogReceiver | None = None

    @property
    def messages(self) -> list[bytes]:
        return [arrival.raw for arrival in self.arrivals]

    @property
    def reasons(self) -> list[str]:
        return [refusal.reason for refusal in self.refusals]

    def has_arrivals(self) -> bool:
        return bool(self.arrivals)

    def take(self, arrival: Arrival) -> None:
        if self.full:
            raise StorageError("no room")
        self.arrivals.append(arrival)
        if self.settles and self.receiver:
            self.receiver.settle(arrival, len(self.arrivals))

    def settle_all(self, error: StorageError | None = None) -> None:
        self.settles = True
        assert self.receiver
        for number, arrival in enumerate(self.arrivals):
            self.receiver.settle(arrival, None if error else number, error)


def options(site: Site, **changes: object) -> ReceiverOptions:
    base = ReceiverOptions(
        host="127.0.0.1", tls=site.server_tls(), tls_port=0, udp_port=0, retry_s=0.01
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def receiving(chosen: ReceiverOptions) -> AsyncIterator[tuple[SyslogReceiver, Sink]]:
    """A started receiver; stopped, and the law of conservation checked, at the end."""
    sink = Sink()
    receiver = SyslogReceiver(chosen, sink.take, sink.refusals.append)
    sink.receiver = receiver
    await receiver.start()
    try:
        yield receiver, sink
    finally:
        await receiver.stop(0.2)
    counters = receiver.counters
    check_law(counters)
    assert counters.connections_open == counters.in_flight == counters.in_flight_octets == 0


def check_law(counters: Counters) -> None:
    assert counters.received == counters.journaled + counters.refused + counters.in_flight


async def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds; fails after ten seconds."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        await asyncio.sleep(0.002)


async def connect(
    port: int, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream to the receiver; TLS unless the context is None."""
    name = "localhost" if context else None
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)


@contextmanager
def receiver_thread(chosen: ReceiverOptions) -> Iterator[tuple[SyslogReceiver, Sink]]:
    """A receiver in a thread of its own, for synchronous senders."""
    started = threading.Event()
    held: list[tuple[SyslogReceiver, Sink]] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with receiving(chosen) as both:
            held.append(both)
            started.set()
            await stop.wait()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(DEADLINE_S)
    try:
        yield held[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE_S)


def until_in_thread(condition: Callable[[], object]) -> None:
    """Waits until the condition holds; fails after ten seconds."""
    deadline_s = time.monotonic() + DEADLINE_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        pause.wait(0.002)
