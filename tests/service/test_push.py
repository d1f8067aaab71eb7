"""The push process: from the index over TLS to a receiver, with its status and its settings."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from audit.errors import ConfigurationError
from audit.service.project import ProjectRole
from audit.service.push import PushRole, push_options
from audit.service.receive import ReceiveRole
from audit.service.role import Role
from audit.service.roles import create
from audit.service.serve import role_names
from audit.settings import load
from audit.siem.formats import SiemFormat
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority
from tests import pki
from tests.service.places import Place, make_place
from tests.transport.receiving import Sink, options, receiver_thread
from tests.waiting import until


@pytest.fixture(autouse=True)
def _no_courtesy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own process stays as quick as it was."""
    monkeypatch.setattr(os, "nice", lambda _by: 0)


@contextmanager
def siem(folder: Path) -> Iterator[tuple[dict[str, Any], Sink]]:
    """A receiver, and what a destination's settings say of it."""
    site = pki.site(folder / "siem")
    with receiver_thread(options(site)) as (receiver, sink):
        certificate, key = site.client_files
        yield (
            {
                "host": "localhost",
                "port": receiver.tls_port,
                "ca": site.ca_file,
                "certificate": certificate,
                "private_key": key,
                "confirm_s": 0.1,
            },
            sink,
        )


@asynccontextmanager
async def running(role: Role) -> AsyncIterator[None]:
    stop = asyncio.Event()
    await role.start()
    run = asyncio.create_task(role.run(stop))
    try:
        yield
    finally:
        stop.set()
        await run
        await role.stop()


async def becomes(look: Callable[[], object]) -> None:
    await asyncio.to_thread(lambda: until(look, within_s=90))


def place_with(folder: Path, authority: CertificateAuthority, **named: Any) -> Place:
    return make_place(folder, authority, siem__destinations=named, siem__poll_s=0.02)


def test_records_reach_the_receiver_and_are_confirmed(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    async def body() -> None:
        with siem(tmp_path) as (destination, sink):
            place = place_with(tmp_path, authority, soc=destination, none=away)
            role = PushRole(place.settings, place.paths)
            assert not role.status().ready
            async with AsyncExitStack() as stack:
                for one in (
                    ReceiveRole(place.settings, place.paths),
                    ProjectRole(place.settings, place.paths),
                    role,
                ):
                    await stack.enter_async_context(running(one))
                appends = AppendClient(place.paths.append_socket)
                append = b"<85>1 - host app - - - words of a sender"
                await asyncio.to_thread(appends.append, append, "import")
                appends.close()
                await becomes(lambda: any(b'"app"' in one for one in sink.messages))
                await becomes(lambda: role.status().detail["soc"]["confirmed"])
                await becomes(lambda: "reason" in role.status().detail["none"])
                status = role.status()
            document = orjson.loads(sink.messages[0].partition(b" - {")[2].join((b"{", b"")))
            assert document["ecs"]["version"] == "8.11.0"
            assert b"words of a sender" not in b"".join(sink.messages)
            assert not status.ready
            assert 'arr_siem_push_connected{destination="none"} 0.0' in status.metrics
            assert 'arr_siem_push_dead_letters{destination="soc"} 0.0' in status.metrics
            kept = orjson.loads((place.paths.push / "soc.json").read_bytes())
            assert kept["position"] > 0

    away = {"host": "localhost", "port": 1, "ca": tmp_path / "ca.crt"}
    asyncio.run(asyncio.wait_for(body(), 50))


def test_it_stops_before_there_is_a_journal(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    async def body() -> None:
        place = place_with(tmp_path, authority, soc={"host": "x", "ca": tmp_path / "ca.crt"})
        async with running(PushRole(place.settings, place.paths)):
            pass

    asyncio.run(asyncio.wait_for(body(), 20))


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ({"host": "x"}, "set ca, or enrolled"),
        ({"host": "x", "ca": "/nowhere.pem"}, "nowhere.pem"),
        ({"host": "x", "enrolled": "/", "query": "userr:1"}, "soc.query"),
    ],
)
def test_destinations_are_checked_at_start(
    tmp_path: Path, authority: CertificateAuthority, destination: dict[str, str], words: str
) -> None:
    place = place_with(tmp_path, authority, soc=destination)
    with pytest.raises(ConfigurationError, match=words):
        asyncio.run(PushRole(place.settings, place.paths).start())


def test_it_runs_only_where_there_is_a_destination(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    place = make_place(tmp_path, authority)
    assert role_names(place.settings) == ("receive", "project", "web")
    with pytest.raises(ConfigurationError, match=r"siem\.destinations"):
        asyncio.run(create("push", place.settings, place.paths).start())
    other = place_with(tmp_path, authority, soc={"host": "x"})
    assert role_names(other.settings)[-1] == "push"


def test_settings_of_a_destination(tmp_path: Path) -> None:
    file = tmp_path / "arr.toml"
    file.write_text(
        '[siem]\nbatch_records = 7\nconfirm_records = 9\n[siem.destinations.soc]\nhost = "h"\n'
        'format = "cef"\nbegin = "now"\nmax_octets = 2048\nconfirms = false\nconfirm_s = 5\n'
    )
    settings = load(file, {}, {})
    chosen = push_options("soc", settings)
    assert (chosen.begin_now, chosen.max_octets, chosen.confirms) == (True, 2048, False)
    assert (chosen.batch_records, chosen.confirm_records, chosen.confirm_s) == (7, 9, 5.0)
    assert SiemFormat(settings.siem.destinations["soc"].format) is SiemFormat.CEF
    for bad in ("[siem.destinations.SOC]\n", "[siem.destinations.soc]\nhots = 'x'\n"):
        file.write_text(bad)
        with pytest.raises(ConfigurationError):
            load(file, {}, {})
