import asyncio
import socket
from typing import Any

import pytest
import uvloop

from tests.pki import Site
from tests.transport.receiving import options, receiving, until

RUNS = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Any:
    """Runs a coroutine on stock asyncio, and on uvloop."""
    return RUNS[request.param]


def test_one_message_per_datagram(run: Any, site: Site) -> None:
    sent = [b"<85>1 a", b"\xff\x00\xc3", b"x" * 65_000]

    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for message in [*sent, b""]:
                    sender.sendto(message, ("127.0.0.1", receiver.udp_port))
                await until(lambda: len(sink.arrivals) == 3)
            assert sink.messages == sent
            arrival = sink.arrivals[0]
            assert (arrival.listener, arrival.peer) == ("udp", "127.0.0.1")
            assert (arrival.original_length, arrival.certificate_der) == (7, None)
            assert receiver.counters.datagrams == receiver.counters.received == 3

    run(main())


def test_nothing_is_read_while_paused_and_what_the_kernel_drops_is_counted(
    run: Any, site: Site
) -> None:
    async def main() -> None:
        async with receiving(options(site, udp_buffer_octets=4096)) as (receiver, sink):
            receiver.pause()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for number in range(200):
                    message = b"%d" % number + b"x" * 500
                    sender.sendto(message, ("127.0.0.1", receiver.udp_port))
                await asyncio.sleep(0.02)
                assert not sink.arrivals
                receiver.resume()
                await until(lambda: sink.arrivals)
                sender.sendto(b"last", ("127.0.0.1", receiver.udp_port))
                await until(lambda: sink.messages[-1] == b"last")
            counters = receiver.counters
            assert counters.kernel_dropped_datagrams > 0
            assert counters.datagrams + counters.kernel_dropped_datagrams == 201

    run(main())


def test_what_waits_in_the_kernel_is_read_when_stopping(run: Any, site: Site) -> None:
    async def main() -> int:
        async with receiving(options(site)) as (receiver, sink):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(100):
                    sender.sendto(b"x", ("127.0.0.1", receiver.udp_port))
        return len(sink.arrivals)

    assert run(main()) == 100


def test_reading_stops_in_the_middle_when_too_much_is_in_flight(site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site, max_in_flight_octets=5_000)) as (receiver, sink):
            sink.settles = False
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(40):
                    sender.sendto(b"x" * 1000, ("127.0.0.1", receiver.udp_port))
            await until(lambda: receiver.blocked)
            assert len(sink.arrivals) == 4
            sink.settle_all()
            await until(lambda: len(sink.arrivals) == 40)

    asyncio.run(main())
