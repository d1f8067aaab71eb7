import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from audit.errors import ConfigurationError, FrameError, JournalBusy, JournalUnavailable
from audit.frame.octet_counting import encode
from audit.journal.entry import BROKEN_OFF, Entry, EntryKind
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.service.receive import SWITCH_INTERVAL_S, ReceiveRole
from audit.service.site_pki import enrol
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority, Request, self_signed
from tests.service.places import Place, make_place
from tests.waiting import until

MESSAGE = b"<85>1 2026-01-01T00:00:00Z ct1 scan 7 IHE+RFC-3881 - <AuditMessage/>"


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    return make_place(tmp_path, authority)


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[ReceiveRole]:
    role = ReceiveRole(place.settings, place.paths)
    await role.start()
    stop = asyncio.Event()
    run = asyncio.create_task(role.run(stop))
    try:
        yield role
    finally:
        stop.set()
        await run
        await role.stop()


def send_tls(port: int, certificate: tuple[Path, Path] | None, ca: Path, data: bytes) -> bytes:
    context = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.settimeout(10)
        secure.sendall(data)
        try:
            return secure.recv(1)
        except TimeoutError:
            return b"quiet"


def run(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), 40))


def journal_of(place: Place) -> list[Entry]:
    with JournalReader(place.paths.journal) as reader:
        return list(reader.iterate(0))


def messages(place: Place) -> list[bytes]:
    return [e.received.raw for e in journal_of(place) if e.received.kind is EntryKind.MESSAGE]


async def journaled(role: ReceiveRole, count: int) -> None:
    def arrived() -> bool:
        return int(role.status().detail["durable"]) >= count

    await asyncio.to_thread(until, arrived)


def send_udp(port: int, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(data, ("127.0.0.1", port))


def test_what_comes_over_tls_is_journaled_as_it_came_with_the_senders_certificate(
    place: Place,
) -> None:
    async def body() -> None:
        async with running(place) as role:
            port = int(role.status().detail["tls_port"])
            before = int(role.status().detail["durable"])
            sending = asyncio.to_thread(
                send_tls, port, place.client(), place.ca_file, encode(MESSAGE) * 3
            )
            task = asyncio.create_task(sending)
            await journaled(role, before + 3)
            task.cancel()

    run(body)
    entries = journal_of(place)
    sent = [entry for entry in entries if entry.received.raw == MESSAGE]
    assert len(sent) == 3
    assert {entry.received.listener for entry in sent} == {"tls"}
    certificates = [e for e in entries if e.received.kind is EntryKind.CERTIFICATE]
    assert sent[0].received.certificate_sha256 in {
        entry.received.certificate_sha256 for entry in certificates
    }
    assert verify(place.paths.journal).exit_code == 0


def test_a_datagram_is_journaled(place: Place) -> None:
    async def body() -> None:
        async with running(place) as role:
            before = int(role.status().detail["durable"])
            send_udp(int(role.status().detail["udp_port"]), MESSAGE)
            await journaled(role, before + 1)

    run(body)
    assert MESSAGE in messages(place)


def test_start_and_stop_are_records_and_the_last_head_covers_the_last_entry(place: Place) -> None:
    async def body() -> None:
        async with running(place):
            pass

    run(body)
    said = b"\n".join(messages(place))
    for code in (b"110120", b"110134", b"110133", b"110121"):
        assert b'csd-code="%s"' % code in said
    report = verify(place.paths.journal)
    assert report.exit_code == 0
    assert report.covered == len(journal_of(place))


def test_a_refused_node_becomes_a_security_alert_with_its_reason(
    place: Place, tmp_path: Path
) -> None:
    stranger = self_signed(Request("stranger")).write(tmp_path, "stranger")

    async def body() -> None:
        async with running(place) as role:
            before = int(role.status().detail["durable"])
            port = int(role.status().detail["tls_port"])
            sending = asyncio.to_thread(send_tls, port, stranger, place.ca_file, encode(MESSAGE))
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                await sending
            await journaled(role, before + 1)
            assert 'arr_refusals_total{kind="handshake"} 1.0' in role.status().metrics

    run(body)
    alerts = [raw for raw in messages(place) if b'csd-code="110126"' in raw]
    assert len(alerts) == 1
    assert b"self-signed" in alerts[0] or b"self signed" in alerts[0]
    assert b"127.0.0.1" in alerts[0]


def test_an_enrolled_certificate_is_accepted_without_a_restart(
    place: Place, tmp_path: Path
) -> None:
    stranger = self_signed(Request("vendor")).write(tmp_path, "vendor")

    async def body() -> None:
        async with running(place) as role:
            enrol(stranger[0], place.paths.enrolled)
            role._watch_trust()
            await journaled(role, 3)
            before = int(role.status().detail["durable"])
            port = int(role.status().detail["tls_port"])
            sending = asyncio.to_thread(send_tls, port, stranger, place.ca_file, encode(MESSAGE))
            task = asyncio.create_task(sending)
            await journaled(role, before + 1)
            task.cancel()

    run(body)
    assert MESSAGE in messages(place)


def test_other_processes_append_through_the_socket(place: Place) -> None:
    async def body() -> None:
        async with running(place) as role:
            client = AppendClient(place.paths.append_socket)
            sequence = await asyncio.to_thread(client.append, MESSAGE, "web", "10.0.0.1")
            assert sequence < role.status().detail["durable"]
            client.close()

    run(body)
    found = next(entry for entry in journal_of(place) if entry.received.raw == MESSAGE)
    assert (found.received.listener, found.received.peer) == ("web", "10.0.0.1")
    assert not place.paths.append_socket.exists()


def test_a_second_process_on_the_same_journal_is_refused(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    place = make_place(tmp_path, authority, journal__lock_wait_s=0.1)

    async def body() -> None:
        async with running(place):
            second = ReceiveRole(place.settings, place.paths)
            with pytest.raises(JournalBusy):
                await second.start()

    run(body)


def test_a_dead_journal_ends_the_process(place: Place) -> None:
    async def body() -> None:
        role = ReceiveRole(place.settings, place.paths)
        await role.start()
        role._writer.__class__ = type(
            "Dead", (role._writer.__class__,), {"failure": property(lambda _: "sync failed")}
        )
        assert role.status().ready is False
        with pytest.raises(JournalUnavailable, match="sync failed"):
            await role.run(asyncio.Event())
        await role.stop()

    run(body)


def test_without_certificates_the_settings_do_not_fit(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    for missing, said in (("certificate", "arr pki init"), ("client_ca", "nobody may send")):
        place = make_place(tmp_path, authority, **{f"trust__{missing}": None})
        trust = place.settings.trust.model_copy(update={missing: None})
        settings = place.settings.model_copy(update={"trust": trust})
        with pytest.raises(ConfigurationError, match=said):
            asyncio.run(ReceiveRole(settings, place.paths).start())


def test_closed_segments_are_sealed_beside_intake(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    place = make_place(tmp_path, authority, journal__segment_entries=2, journal__seal_poll_s=0.02)

    async def body() -> None:
        async with running(place) as role:
            client = AppendClient(place.paths.append_socket)
            for _ in range(6):
                await asyncio.to_thread(client.append, MESSAGE, "own")
            await asyncio.to_thread(
                until, lambda: "arr_segments_sealed_total 0.0" not in role.status().metrics
            )
            client.close()

    asyncio.run(body())
    assert verify(place.paths.journal).intact


def test_a_request_that_does_not_fit_is_refused_and_intake_goes_on(place: Place) -> None:
    async def body() -> None:
        async with running(place):
            client = AppendClient(place.paths.append_socket)
            with pytest.raises(FrameError, match="too long"):
                await asyncio.to_thread(client.append, MESSAGE, "own", "p" * 5000)
            assert await asyncio.to_thread(client.append, MESSAGE, "own") > 0
            client.close()

    asyncio.run(body())


def test_a_busy_loop_gives_way_to_the_commit_soon(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(sys, "setswitchinterval", asked.append)

    async def body() -> None:
        async with running(place):
            assert asked == [SWITCH_INTERVAL_S]

    run(body)


def test_what_came_of_a_message_that_broke_off_is_kept(place: Place) -> None:
    part = MESSAGE + b"<AuditMessage"

    async def body() -> None:
        async with running(place) as role:
            before = int(role.status().detail["durable"])
            port = int(role.status().detail["tls_port"])
            half = encode(MESSAGE) + b"%d " % (len(part) + 9) + part
            for stream in (half, b"no frame at all"):
                await asyncio.to_thread(break_off, port, place.client(), place.ca_file, stream)
            await journaled(role, before + 4)  # with the certificate
            assert 'arr_refusals_total{kind="frame"} 2.0' in role.status().metrics

    run(body)
    kept = [entry.received for entry in journal_of(place) if entry.received.flags & BROKEN_OFF]
    assert sorted((one.raw, one.kind, one.original_length) for one in kept) == [
        (part, EntryKind.TRUNCATED, len(part) + 9),
        (b"no frame at all", EntryKind.MESSAGE, None),
    ]
    assert all(one.certificate_sha256 for one in kept)
    assert verify(place.paths.journal).exit_code == 0


def break_off(port: int, certificate: tuple[Path, Path], ca: Path, data: bytes) -> None:
    """Send this, end the stream, and wait for the other side to end it, too."""
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(*certificate)
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
        contextlib.suppress(OSError),
    ):
        secure.sendall(data)
        secure.shutdown(socket.SHUT_WR)
        secure.recv(1)
