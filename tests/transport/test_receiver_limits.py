"""What slow, silent and too many peers get."""

import asyncio
import ssl
import time
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop

from audit.errors import ConfigurationError
from audit.frame.octet_counting import encode
from audit.transport.arrival import RefusalKind
from audit.transport.receiver_options import ReceiverOptions
from tests import pki
from tests.pki import Site
from tests.transport.receiving import (
    check_law,
    connect,
    options,
    receiving,
    until,
)

RUNS = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Any:
    """Runs a coroutine on stock asyncio, and on uvloop."""
    return RUNS[request.param]


def good(site: Site, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    return pki.weak_client_context(pki.client(), site.folder, version)


Run = Any
Main = Coroutine[Any, Any, None]


# -------- Many, slow and silent peers


def test_many_connections_each_in_order(run: Run, site: Site) -> None:
    count, each = 40, 25

    async def one(port: int, name: int) -> None:
        reader, writer = await connect(port, good(site))
        for number in range(each):
            writer.write(encode(b"%d %d" % (name, number)))
            await writer.drain()
        writer.close()
        assert await reader.read() == b""

    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            await asyncio.gather(*(one(receiver.tls_port, name) for name in range(count)))
            await until(lambda: len(sink.arrivals) == count * each)
            by_connection: dict[int, list[bytes]] = {}
            for arrival in sink.arrivals:
                by_connection.setdefault(arrival.connection, []).append(arrival.raw)
            assert len(by_connection) == count
            for messages in by_connection.values():
                name = messages[0].split()[0]
                assert messages == [b"%b %d" % (name, number) for number in range(each)]
            await until(lambda: receiver.counters.connections_open == 0)

    run(main())


def test_a_half_open_handshake_is_cut(run: Run, site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site, handshake_timeout_s=0.1)) as (receiver, sink):
            silent = await connect(receiver.tls_port, None)
            begun = await connect(receiver.tls_port, None)
            begun[1].write(b"\x16\x03\x01\x02\x00\x01")
            await until(lambda: len(sink.refusals) == 2)
            assert set(sink.reasons) == {"no TLS handshake within 0.1 s"}
            assert receiver.counters.handshakes_refused == 2
            await until(lambda: receiver.counters.connections_open == 0)
            silent[1].close()
            begun[1].close()

    run(main())


def test_a_peer_that_leaves_during_the_handshake_is_told_of_and_a_probe_is_not(
    run: Run, site: Site
) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            _, probe = await connect(receiver.tls_port, None)
            probe.close()
            await until(lambda: receiver.counters.probes == 1)
            assert not sink.refusals
            _, begun = await connect(receiver.tls_port, None)
            begun.write(b"\x16\x03\x01\x02\x00\x01")
            begun.close()
            await until(lambda: sink.refusals)
            assert "closed the connection during the TLS handshake" in sink.reasons[0]

    run(main())


def test_a_slow_message_is_cut_and_an_idle_connection_ended(run: Run, site: Site) -> None:
    async def main() -> None:
        chosen = options(site, message_timeout_s=0.2, idle_timeout_s=0.4)
        async with receiving(chosen) as (receiver, sink):
            idle_reader, idle = await connect(receiver.tls_port, good(site))
            _, slow = await connect(receiver.tls_port, good(site))
            slow.write(b"1000 ")
            while not sink.refusals:
                slow.write(b"x")
                await asyncio.sleep(0.02)
            assert sink.reasons == ["a message took longer than 0.2 s"]
            assert await asyncio.wait_for(idle_reader.read(), 5) == b""
            assert receiver.counters.connections_idle == 2
            assert len(sink.refusals) == 1
            idle.close()
            slow.close()

    run(main())


def test_slow_attackers_do_not_slow_others(site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site, handshake_timeout_s=0.5)) as (receiver, sink):
            attackers = [await connect(receiver.tls_port, None) for _ in range(100)]
            for _, writer in attackers:
                writer.write(b"\x16")
            began_s = time.monotonic()
            _, writer = await connect(receiver.tls_port, good(site))
            writer.write(encode(b"good"))
            await until(lambda: sink.arrivals)
            assert time.monotonic() - began_s < 2
            await until(lambda: len(sink.refusals) == 100)
            for _, attacker in [*attackers, (None, writer)]:
                attacker.close()

    uvloop.run(main())


# -------- Limits


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_connections": 2}, "more than 2 connections"),
        ({"max_connections_per_address": 2}, "more than 2 connections of one address"),
    ],
)
def test_connections_above_a_limit_are_closed_at_once(
    run: Run, site: Site, limits: dict[str, int], words: str
) -> None:
    async def main() -> None:
        async with receiving(options(site, **limits)) as (receiver, sink):
            first = await connect(receiver.tls_port, good(site))
            second = await connect(receiver.tls_port, good(site))
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await connect(receiver.tls_port, good(site))
            await until(lambda: sink.refusals)
            assert sink.reasons == [words]
            assert sink.refusals[0].kind is RefusalKind.LIMIT
            assert receiver.counters.connections_limited == 1
            first[1].close()
            await until(lambda: receiver.counters.connections_open == 1)
            third = await connect(receiver.tls_port, good(site))
            second[1].close()
            third[1].close()

    run(main())


def test_reading_stops_while_too_much_is_in_flight(run: Run, site: Site) -> None:
    message = b"x" * 10_000

    async def main() -> None:
        chosen = options(site, max_in_flight_octets=100_000)
        async with receiving(chosen) as (receiver, sink):
            sink.settles = False
            _, writer = await connect(receiver.tls_port, good(site))
            for _ in range(2000):
                writer.write(encode(message))
            await until(lambda: receiver.blocked)
            await asyncio.sleep(0.05)
            assert receiver.counters.in_flight_octets < 100_000 + 1_000_000
            assert len(sink.arrivals) < 200
            check_law(receiver.counters)
            sink.settle_all()
            await until(lambda: receiver.counters.journaled == 2000)
            assert sink.messages == [message] * 2000
            assert not receiver.blocked
            assert receiver.counters.times_blocked >= 1
            writer.close()

    run(main())


def test_pause_and_resume(run: Run, site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            _, writer = await connect(receiver.tls_port, good(site))
            receiver.pause()
            writer.write(encode(b"late"))
            await asyncio.sleep(0.05)
            assert not sink.arrivals
            receiver.resume()
            await until(lambda: sink.arrivals)
            writer.close()

    run(main())


def test_a_connection_made_while_paused_waits(run: Run, site: Site) -> None:
    async def main() -> None:
        chosen = options(site, handshake_timeout_s=0.6)
        async with receiving(chosen) as (receiver, sink):
            receiver.pause()
            context = good(site, ssl.TLSVersion.TLSv1_2)
            connecting = asyncio.create_task(connect(receiver.tls_port, context))
            await asyncio.sleep(0.8)
            assert not connecting.done()
            assert not sink.refusals
            receiver.resume()
            _, writer = await connecting
            writer.close()

    run(main())


def test_a_full_sink_gets_everything_once_in_order_when_it_has_room(run: Run, site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            sink.full = True
            _, writer = await connect(receiver.tls_port, good(site))
            for number in range(50):
                writer.write(encode(b"%d" % number))
            await until(lambda: receiver.counters.in_flight)
            assert receiver.blocked
            check_law(receiver.counters)
            sink.full = False
            await until(lambda: receiver.counters.journaled == 50)
            assert sink.messages == [b"%d" % number for number in range(50)]
            writer.close()

    run(main())


def test_large_messages_share_the_memory_there_is(run: Run, site: Site) -> None:
    size = 200_000

    async def main() -> None:
        chosen = options(site, max_message_octets=size, max_unfinished_octets=size)
        async with receiving(chosen) as (receiver, sink):
            writers = [(await connect(receiver.tls_port, good(site)))[1] for _ in range(4)]
            for writer in writers:
                writer.write(b"%d " % size + b"x" * (size - 1))
            for writer in writers:
                writer.write(b"y")
            await until(lambda: len(sink.arrivals) == 4)
            for writer in writers:
                writer.close()

    run(main())


def test_one_who_holds_memory_and_stalls_is_cut_for_those_who_wait(site: Site) -> None:
    size = 200_000

    async def main() -> None:
        chosen = options(
            site,
            max_message_octets=size,
            max_unfinished_octets=size,
            message_timeout_s=0.2,
        )
        async with receiving(chosen) as (receiver, sink):
            _, holder = await connect(receiver.tls_port, good(site))
            holder.write(b"%d x" % size)
            await asyncio.sleep(0.05)
            _, waiter = await connect(receiver.tls_port, good(site))
            waiter.write(encode(b"y" * size))
            await until(lambda: sink.arrivals)
            assert sink.messages == [b"y" * size]
            assert len(sink.refusals) == 1
            holder.close()
            waiter.close()

    asyncio.run(main())


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_unfinished_octets"):
        ReceiverOptions(max_unfinished_octets=10)
    with pytest.raises(ConfigurationError, match="kept_head_octets"):
        ReceiverOptions(kept_head_octets=0)
