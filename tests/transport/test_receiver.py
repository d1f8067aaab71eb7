import asyncio
import socket
import ssl
import time
from collections.abc import Coroutine
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import uvloop

from audit.errors import ConfigurationError, StorageError
from audit.frame.octet_counting import encode
from audit.transport.arrival import RefusalKind
from audit.transport.pki import Request
from audit.transport.receiver import SyslogReceiver
from tests import pki
from tests.pki import Site
from tests.transport.receiving import (
    Sink,
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


# -------- Framing


def test_a_message_of_20_mb_is_kept_as_head_and_the_connection_goes_on(
    run: Run, site: Site
) -> None:
    long = b"<85>1 - - - - - - " + b"x" * 20_000_000

    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            _, writer = await connect(receiver.tls_port, good(site))
            writer.write(encode(long))
            writer.write(encode(b"next"))
            await until(lambda: len(sink.arrivals) == 2)
            head, following = sink.arrivals
            assert head.raw == long[: 64 * 1024]
            assert head.original_length == len(long)
            assert following.raw == b"next"
            assert receiver.counters.truncated == 1
            assert receiver.counters.received_octets == len(long) + 4
            writer.close()

    run(main())


def test_a_stream_split_at_every_octet(site: Site) -> None:
    sent = [b"<85>1 a", b"\n" * 12, b"x" * 300]
    stream = b"".join(map(encode, sent))

    async def main() -> None:
        chosen = options(site, tcp_port=0, max_message_octets=200, kept_head_octets=5)
        async with receiving(chosen) as (receiver, sink):
            _, writer = await connect(receiver.tcp_port, None)
            for start, end in pairwise(range(len(stream) + 1)):
                writer.write(stream[start:end])
                await writer.drain()
                await asyncio.sleep(0)
            await until(lambda: len(sink.arrivals) == 3)
            assert sink.messages == [b"<85>1 a", b"\n" * 12, b"xxxxx"]
            writer.close()

    asyncio.run(main())


def test_octets_that_are_no_frame_close_the_connection_after_what_came_before(
    run: Run, site: Site
) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            reader, writer = await connect(receiver.tls_port, good(site))
            writer.write(encode(b"good") + b"<85>1 unframed")
            await until(lambda: sink.refusals)
            assert sink.messages == [b"good"]
            assert "RFC 5425 4.3" in sink.reasons[0]
            assert sink.refusals[0].kind is RefusalKind.FRAME
            assert sink.refusals[0].certificate_der == pki.client().certificate_der
            assert (receiver.counters.received, receiver.counters.refused) == (2, 1)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()

    run(main())


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_message_that_breaks_off_is_refused(run: Run, site: Site, abruptly: bool) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            _, writer = await connect(receiver.tls_port, good(site))
            writer.write(encode(b"good") + b"30 half")
            await until(lambda: sink.arrivals)
            writer.transport.abort() if abruptly else writer.close()
            await until(lambda: sink.refusals)
            assert sink.reasons == ["the stream ended after 4 of 30 octets of a message"]
            await until(lambda: not receiver.counters.connections_open)

    run(main())


def test_plain_tcp_knows_both_framings_by_the_first_octet(run: Run, site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site, tcp_port=0, tls=None)) as (receiver, sink):
            assert receiver.tls_port == 0
            _, counted = await connect(receiver.tcp_port, None)
            counted.write(encode(b"<85>1 a\n<85>1 still a"))
            await until(lambda: len(sink.arrivals) == 1)
            _, lines = await connect(receiver.tcp_port, None)
            lines.write(b"<85>1 b\n  <x/>\n<85>1 c")
            await until(lambda: len(sink.arrivals) == 2)
            lines.close()
            await until(lambda: len(sink.arrivals) == 3)
            assert sink.messages == [b"<85>1 a\n<85>1 still a", b"<85>1 b\n  <x/>", b"<85>1 c"]
            assert {arrival.listener for arrival in sink.arrivals} == {"tcp"}
            assert sink.arrivals[0].certificate_der is None
            counted.close()

    run(main())


def test_silence_ends_a_message_with_trailer(site: Site) -> None:
    async def main() -> None:
        chosen = options(site, tcp_port=0, silence_ends_message_s=0.02)
        async with receiving(chosen) as (receiver, sink):
            _, writer = await connect(receiver.tcp_port, None)
            writer.write(b"<85>1 only one\n")
            await until(lambda: sink.arrivals)
            assert sink.messages == [b"<85>1 only one"]
            writer.close()

    asyncio.run(main())


# -------- Durability and stopping


def test_our_close_waits_until_all_of_the_connection_is_durable(run: Run, site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            sink.settles = False
            reader, writer = await connect(receiver.tcp_port or receiver.tls_port, good(site))
            writer.write(encode(b"precious"))
            await until(lambda: sink.arrivals)
            writer.close()
            closed = asyncio.create_task(reader.read())
            await asyncio.sleep(0.05)
            assert receiver.counters.connections_open == 1
            sink.settle_all()
            await asyncio.wait_for(closed, 5)
            await until(lambda: receiver.counters.connections_open == 0)

    run(main())


def test_a_message_that_the_journal_fails_on_is_counted_and_told(run: Run, site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            sink.settles = False
            _, writer = await connect(receiver.tls_port, good(site))
            writer.write(encode(b"precious"))
            await until(lambda: sink.arrivals)
            sink.settle_all(StorageError("disk full"))
            await until(lambda: sink.refusals)
            assert sink.refusals[0].kind is RefusalKind.JOURNAL
            assert "disk full" in sink.reasons[0]
            assert receiver.counters.refused == 1
            writer.close()

    run(main())


def test_stopping_delivers_what_was_sent_and_says_goodbye(run: Run, site: Site) -> None:
    async def main() -> None:
        sink = Sink()
        receiver = SyslogReceiver(options(site), sink.take, sink.refusals.append)
        sink.receiver = receiver
        await receiver.start()
        reader, writer = await connect(receiver.tls_port, good(site))
        for number in range(500):
            writer.write(encode(b"%d" % number))
        half_open = await connect(receiver.tls_port, None)
        await until(lambda: receiver.counters.connections_open == 2)
        await receiver.stop(2)
        assert sink.messages == [b"%d" % number for number in range(500)]
        assert receiver.counters.journaled == 500
        assert not sink.refusals
        assert await reader.read() == b""
        with pytest.raises(ConnectionError):
            await connect(receiver.tls_port, good(site))
        writer.close()
        half_open[1].close()

    run(main())


def test_stopping_ends_at_its_deadline_and_counts_what_is_lost(run: Run, site: Site) -> None:
    async def main() -> None:
        sink = Sink(full=True)
        receiver = SyslogReceiver(options(site), sink.take, sink.refusals.append)
        sink.receiver = receiver
        await receiver.start()
        _, busy = await connect(receiver.tls_port, good(site))
        busy.write(encode(b"never taken"))
        await until(lambda: receiver.counters.in_flight)
        began_s = time.monotonic()
        await receiver.stop(0.3)
        assert time.monotonic() - began_s < 2
        check_law(receiver.counters)
        assert receiver.counters.refused == 1
        assert sink.refusals[-1].kind is RefusalKind.JOURNAL
        busy.close()

    run(main())


def test_stopping_waits_for_a_message_half_received_until_the_deadline(site: Site) -> None:
    async def main() -> None:
        sink = Sink()
        receiver = SyslogReceiver(options(site), sink.take, sink.refusals.append)
        sink.receiver = receiver
        await receiver.start()
        _, ending = await connect(receiver.tls_port, good(site))
        _, stalled = await connect(receiver.tls_port, good(site))
        ending.write(b"10 half")
        stalled.write(b"10 half")
        await until(lambda: receiver.counters.connections_open == 2)
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(receiver.stop(0.5))
        await asyncio.sleep(0.15)
        ending.write(b"whole!")
        await stopping
        assert sink.messages == [b"halfwhole!"]
        assert sink.reasons == ["the stream ended after 4 of 10 octets of a message"]
        ending.close()
        stalled.close()

    asyncio.run(main())


# -------- Listening


def test_a_port_in_use_is_named(site: Site) -> None:
    async def main() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            receiver = SyslogReceiver(options(site, tls_port=port), print, print)
            with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}"):
                await receiver.start()

    asyncio.run(main())


def test_all_addresses_means_both_families(site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site, host="", tcp_port=0)) as (receiver, sink):
            for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                _, writer = await asyncio.open_connection(
                    address, receiver.tcp_port, family=family
                )
                writer.write(encode(b"x"))
                writer.close()
            await until(lambda: len(sink.arrivals) == 2)
            assert {arrival.peer for arrival in sink.arrivals} == {"127.0.0.1", "::1"}

    asyncio.run(main())


def test_reloading_reads_a_new_server_certificate(run: Run, site: Site) -> None:
    renewed = pki.authority().issue(Request("renewed.test", pki.LOCAL_HOSTS))

    async def main() -> None:
        async with receiving(options(site)) as (receiver, _):
            _, before = await connect(receiver.tls_port, good(site))
            renewed.write(site.folder, "server")
            assert receiver.reload_tls() == 0
            _, after = await connect(receiver.tls_port, good(site))
            shown = after.get_extra_info("ssl_object").getpeercert(binary_form=True)
            assert shown == renewed.certificate_der
            broken = replace(site.server_tls(), certificate=site.folder / "none")
            with pytest.raises(ConfigurationError, match="none"):
                receiver.reload_tls(broken)
            before.close()
            after.close()

    run(main())


def test_there_is_nothing_to_reload_without_tls(site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site, tls=None, tcp_port=0)) as (receiver, _):
            with pytest.raises(ConfigurationError):
                receiver.reload_tls()

    asyncio.run(main())


def test_octets_that_break_tls_end_the_connection(run: Run, site: Site) -> None:
    garbage = b"\x17\x03\x03\x00\x20" + b"\x00" * 32

    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            _, writer = await connect(receiver.tls_port, good(site))
            writer.write(encode(b"good"))
            await until(lambda: sink.arrivals)
            with socket.socket(fileno=socket.dup(writer.get_extra_info("socket").fileno())) as raw:
                raw.send(garbage)
            await until(lambda: sink.refusals)
            assert "TLS broke" in sink.reasons[0]
            assert sink.refusals[0].kind is RefusalKind.FRAME
            writer.transport.abort()

    run(main())
