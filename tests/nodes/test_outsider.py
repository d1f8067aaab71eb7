import socket

from audit.nodes.outsider import Outsider
from audit.nodes.registry import Station
from tests.nodes.collector import Collector
from tests.nodes.conftest import MakeArchive, Pki, Sink


def test_every_door_is_closed_and_the_archive_tells(
    make_archive: MakeArchive, pki: Pki, sink: Sink
) -> None:
    _, peer = make_archive()
    outsider = Outsider(pki.stranger(), pki.client("stolen"), peer)
    assert outsider.with_wrong_certificate()
    assert outsider.with_unknown_title("TEST01")
    assert len(sink.wait_for(2, "110113", "110126")) == 2


def test_a_known_title_with_a_good_certificate_gets_in(
    make_archive: MakeArchive, pki: Pki
) -> None:
    _, peer = make_archive()
    assert not Outsider(pki.stranger(), pki.client("good"), peer).with_unknown_title("ECHOSCU")


def test_the_audit_repository_refuses_the_foreign_certificate(
    make_archive: MakeArchive, pki: Pki
) -> None:
    _, peer = make_archive()
    outsider = Outsider(pki.stranger(), pki.client("stolen"), peer)
    collector = Collector(pki.node(Station("ARR", "127.0.0.1", "audit repository")))
    assert outsider.at_collector("127.0.0.1", collector.port)
    assert collector.wait_for_refusal()
    collector.stop()
    assert outsider.at_collector("127.0.0.1", collector.port)


def test_a_repository_that_lets_the_stranger_in_is_noticed(
    make_archive: MakeArchive, pki: Pki
) -> None:
    _, peer = make_archive()
    outsider = Outsider(pki.client("insider"), pki.client("stolen"), peer)
    collector = Collector(pki.node(Station("ARR", "127.0.0.1", "audit repository")))
    assert not outsider.at_collector("127.0.0.1", collector.port)
    collector.stop()


def test_a_repository_that_never_answers_is_noticed(make_archive: MakeArchive, pki: Pki) -> None:
    _, peer = make_archive()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outsider = Outsider(pki.stranger(), pki.client("stolen"), peer)
        assert not outsider.at_collector("127.0.0.1", silent.getsockname()[1])
