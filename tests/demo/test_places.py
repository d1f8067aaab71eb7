"""Which ports a demonstration takes."""

import contextlib
import socket
from dataclasses import astuple

from audit.demo import places
from audit.demo.places import LOOPBACK, choose_ports

FIRST_OF_CONNECTIONS = 32_768
"""Linux gives ports from here on to connections outwards, unless told otherwise."""


def test_ports_differ_and_no_connection_can_take_them_while_a_process_is_away() -> None:
    for _ in range(20):
        ports = astuple(choose_ports(0, 0))
        assert len({*ports}) == len(ports)
        assert max(ports) < FIRST_OF_CONNECTIONS
        assert places.USUAL_HTTP_PORT not in ports


def test_a_port_asked_for_is_taken_as_it_is() -> None:
    ports = choose_ports(9321, 9322)
    assert (ports.http, ports.syslog_tls) == (9321, 9322)


def test_a_usual_port_that_is_taken_is_passed_over() -> None:
    with contextlib.ExitStack() as held:
        for usual in (places.USUAL_HTTP_PORT, places.USUAL_SYSLOG_PORT):
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server((LOOPBACK, usual)))
        ports = choose_ports(None, None)
    assert ports.http != places.USUAL_HTTP_PORT
    assert ports.syslog_tls != places.USUAL_SYSLOG_PORT
