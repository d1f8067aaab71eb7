from pathlib import Path

import pytest

from audit.emit import TlsRepository, over_tls, over_udp
from audit.frame.syslog import read_header
from audit.record import build
from audit.record.assess import assess
from audit.transport.receiver_options import ReceiverOptions
from audit.transport.sender import SenderOptions
from tests.emit.repository import Pki, Repository
from tests.emit.test_secure_node import PATIENT, SOURCE, STUDY, USER, VIEWER
from tests.waiting import until

QUICK = SenderOptions(timeout_s=3, first_backoff_s=0.05, longest_backoff_s=0.1)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def repository_at(pki: Pki, port: int, spool: Path) -> TlsRepository:
    return TlsRepository(host="127.0.0.1", port=port, tls=pki.client(), spool=spool, sender=QUICK)


def events(arrived: list[bytes]) -> list[str]:
    return [assess(raw[read_header(raw).msg_offset :]).event for raw in arrived]


def test_messages_arrive_over_mutual_tls(pki: Pki, tmp_path: Path) -> None:
    with Repository().listening(pki.server_options()) as repository:
        with over_tls(SOURCE, VIEWER, repository_at(pki, repository.tls_port, tmp_path)) as node:
            node.started()
            node.logged_in(USER)
            node.accessed(build.Action.READ, PATIENT, (STUDY,), USER)
            assert node.flush(15)
        until(lambda: len(repository.arrived) == 3)
    assert events(repository.arrived) == ["110100", "110114", "110103"]


def test_what_an_absent_repository_misses_waits_on_disk(pki: Pki, tmp_path: Path) -> None:
    with Repository().listening(pki.server_options()) as repository:
        port = repository.tls_port
    node = over_tls(SOURCE, VIEWER, repository_at(pki, port, tmp_path))
    node.started()
    node.logged_in(USER)
    assert node.close(0.3) == 2
    assert node.lost == 0
    with Repository().listening(pki.server_options(port)) as repository:
        with over_tls(SOURCE, VIEWER, repository_at(pki, port, tmp_path)) as again:
            again.logged_out(USER)
            assert again.flush(15)
        until(lambda: len(repository.arrived) == 3)
    assert events(repository.arrived) == ["110100", "110114", "110114"]


def test_datagrams_arrive() -> None:
    options = ReceiverOptions(host="127.0.0.1", udp_port=0)
    with Repository().listening(options) as repository:
        with over_udp(SOURCE, VIEWER, "127.0.0.1", repository.udp_port) as node:
            node.started()
            assert node.flush(5)
            until(lambda: repository.arrived)
        assert events(repository.arrived) == ["110100"]


def test_a_message_too_long_for_a_datagram_is_lost_alone_and_told() -> None:
    options = ReceiverOptions(host="127.0.0.1", udp_port=0)
    studies = [build.Study(uid=f"2.999.4.{number}") for number in range(400)]
    with Repository().listening(options) as repository:
        with over_udp(SOURCE, VIEWER, "127.0.0.1", repository.udp_port) as node:
            node.deleted(PATIENT, studies, USER)
            node.started()
            assert node.flush(5)
            until(lambda: len(repository.arrived) == 3)
            assert node.lost == 1
        assert sorted(events(repository.arrived)) == ["110100", "110113", "110113"]
