import socket
from dataclasses import replace
from pathlib import Path

import pytest

from audit.transport.sender import SenderOptions, SyslogTlsSender
from audit.transport.spool import Spool, SpoolFull, SpoolOptions
from audit.transport.spooled_sender import SpooledSender, SpooledSenderOptions
from tests import pki
from tests.pki import Site
from tests.transport.receiving import options, receiver_thread, until_in_thread

QUICK = SenderOptions(timeout_s=5, first_backoff_s=0.02, longest_backoff_s=0.1)
CHOSEN = SpooledSenderOptions(trust_after_s=0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def spooled(
    site: Site, port: int, folder: Path, chosen: SpoolOptions | None = None
) -> SpooledSender:
    sender = SyslogTlsSender("127.0.0.1", site.client_tls(), port, QUICK)
    return SpooledSender(sender, Spool(folder, chosen), CHOSEN)


def test_messages_wait_for_a_receiver_and_arrive_in_order(site: Site, tmp_path: Path) -> None:
    port = free_port()
    sent = [b"%d" % number for number in range(1000)]
    one = spooled(site, port, tmp_path / "spool")
    for message in sent[:500]:
        one.send(message)
    until_in_thread(lambda: one.last_error)
    assert one.waiting == 500
    with receiver_thread(options(site, tls_port=port)) as (_, sink):
        one.send(*sent[500:])
        assert one.flush(10)
        assert not one.last_error
        assert one.close() == 0
        until_in_thread(lambda: len(sink.arrivals) >= 1000)
        assert list(dict.fromkeys(sink.messages)) == sent


def test_what_waits_survives_a_restart(site: Site, tmp_path: Path) -> None:
    port = free_port()
    one = spooled(site, port, tmp_path / "spool")
    one.send(b"a", b"b")
    assert one.close(0.05) == 2
    with receiver_thread(options(site, tls_port=port)) as (_, sink):
        one = spooled(site, port, tmp_path / "spool")
        assert one.flush(10)
        assert one.close() == 0
        assert sink.messages == [b"a", b"b"]


def test_nothing_is_lost_when_the_receiver_restarts(site: Site, tmp_path: Path) -> None:
    port = free_port()
    one = spooled(site, port, tmp_path / "spool")
    arrived: list[bytes] = []
    sent = [b"%d" % number for number in range(300)]
    for part in range(3):
        with receiver_thread(options(site, tls_port=port)) as (_, sink):
            one.send(*sent[part * 100 : part * 100 + 100])
            until_in_thread(sink.has_arrivals)
            if part == 2:
                assert one.flush(10)
        arrived += sink.messages
    assert one.close() == 0
    assert list(dict.fromkeys(arrived)) == sent


def test_a_receiver_that_refuses_us_gets_nothing_and_nothing_is_forgotten(
    site: Site, tmp_path: Path
) -> None:
    tls = replace(site.client_tls(pki.wrong_ca_client()), minimum_version="1.3")
    with receiver_thread(options(site)) as (receiver, sink):
        sender = SyslogTlsSender("127.0.0.1", tls, receiver.tls_port, QUICK)
        one = SpooledSender(sender, Spool(tmp_path / "spool"), CHOSEN)
        one.send(b"x")
        until_in_thread(lambda: len(sink.refusals) >= 3)
        assert one.waiting == 1
        assert "authority" in one.last_error or "next attempt" in one.last_error
        assert len(sink.refusals) < 20
        assert one.close(0) == 1
        assert not sink.arrivals


def test_a_receiver_that_does_not_read_is_left(site: Site, tmp_path: Path) -> None:
    with receiver_thread(options(site)) as (receiver, sink):
        sender = SyslogTlsSender("127.0.0.1", site.client_tls(), receiver.tls_port, QUICK)
        impatient = SpooledSenderOptions(trust_after_s=60, acknowledge_s=0.05)
        one = SpooledSender(sender, Spool(tmp_path / "spool"), impatient)
        one.send(b"x")
        until_in_thread(lambda: "doesn't take" in one.last_error)
        assert one.close(0) == 1
        until_in_thread(lambda: sink.arrivals)


def test_a_full_spool_is_told_to_the_caller(site: Site, tmp_path: Path) -> None:
    one = spooled(site, free_port(), tmp_path / "spool", SpoolOptions(max_octets=100))
    with pytest.raises(SpoolFull):
        one.send(b"x" * 200)
    assert one.close(0) == 0


def test_a_failing_disk_is_told_and_tried_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = spooled(site, free_port(), tmp_path / "spool")
    monkeypatch.setattr("audit.transport.spooled_sender._DISK_RETRY_S", 0.01)
    for segment in (tmp_path / "spool").glob("*.spool"):
        segment.unlink()
    one.send(b"x")
    for segment in (tmp_path / "spool").glob("*.spool"):
        segment.unlink()
    until_in_thread(lambda: "No such file" in one.last_error or one.last_error)
    assert one.close(0) == 1
