import asyncio
import os
import socket
import stat
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from audit.errors import FrameError, JournalBusy, JournalUnavailable
from audit.transport.append_protocol import LENGTH
from audit.transport.append_socket import AppendClient, AppendOptions, AppendServer
from audit.transport.unix_path import usable_address
from tests.transport.receiving import until

RUNS = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Any:
    """Runs a coroutine on stock asyncio, and on uvloop."""
    return RUNS[request.param]


class Journal:
    """Counts what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[bytes, str, str]] = []

    async def append(self, raw: bytes, listener: str, peer: str) -> int:
        self.given.append((raw, listener, peer))
        sequence = len(self.given) - 1
        await asyncio.sleep(0)
        return sequence


async def serve(
    path: Path,
    client_side: Callable[[], Any],
    on_append: Callable[[bytes, str, str], Awaitable[int]],
    options: AppendOptions | None = None,
) -> Any:
    """Runs ``client_side`` in a thread while a server listens."""
    server = AppendServer(path, on_append, options)
    await server.start()
    try:
        return await asyncio.to_thread(client_side)
    finally:
        await server.stop()


@pytest.mark.parametrize("depth", [0, 3])
def test_appending_at_a_path_of_any_length(run: Any, tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["long-folder-name-" * 4] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "append.sock"
    journal = Journal()

    def client_side() -> list[int]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        client = AppendClient(path)
        try:
            return [client.append(b"%d" % n, "api", "peer ü") for n in range(3)]
        finally:
            client.close()

    assert run(serve(path, client_side, journal.append)) == [0, 1, 2]
    assert journal.given == [(b"%d" % n, "api", "peer ü") for n in range(3)]
    assert not path.exists()


def test_a_batch_is_appended_in_its_order(run: Any, tmp_path: Path) -> None:
    journal = Journal()
    path = tmp_path / "append.sock"
    messages = [b"%d" % n for n in range(256)]

    def client_side() -> tuple[int, ...]:
        client = AppendClient(path)
        try:
            return client.append_all(messages, "import", "")
        finally:
            client.close()

    assert run(serve(path, client_side, journal.append)) == tuple(range(256))
    assert [raw for raw, _, _ in journal.given] == messages


def test_a_batch_of_which_one_fails_is_told_as_failed(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "append.sock"

    async def on_append(raw: bytes, _listener: str, _peer: str) -> int:
        await asyncio.sleep(0)
        if raw == b"1":
            raise JournalBusy("the queue is full")
        return int(raw)

    def client_side() -> None:
        client = AppendClient(path)
        try:
            with pytest.raises(JournalBusy, match="the queue is full"):
                client.append_all([b"0", b"1", b"2"], "import", "")
        finally:
            client.close()

    run(serve(path, client_side, on_append))


def test_many_threads_share_a_client(run: Any, tmp_path: Path) -> None:
    journal = Journal()
    path = tmp_path / "append.sock"
    got: list[int] = []

    def client_side() -> None:
        client = AppendClient(path)

        def work() -> None:
            got.extend(client.append(b"x" * 5000, "api") for _ in range(50))

        threads = [threading.Thread(target=work) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()

    run(serve(path, client_side, journal.append, AppendOptions(max_requests=4)))
    assert sorted(got) == list(range(500))


@pytest.mark.parametrize("error", [JournalBusy, JournalUnavailable])
def test_the_journal_s_errors_reach_the_client(
    tmp_path: Path, error: type[JournalBusy | JournalUnavailable]
) -> None:
    async def fail(_raw: bytes, _listener: str, _peer: str) -> int:
        raise error("the disk is full")

    def client_side() -> None:
        client = AppendClient(tmp_path / "append.sock")
        with pytest.raises(error, match="the disk is full"):
            client.append(b"x", "api")
        client.close()

    asyncio.run(serve(tmp_path / "append.sock", client_side, fail))


def test_a_message_above_the_limit_is_refused_and_the_client_goes_on(tmp_path: Path) -> None:
    journal = Journal()
    path = tmp_path / "append.sock"

    def client_side() -> None:
        client = AppendClient(path)
        with pytest.raises((FrameError, JournalUnavailable)):
            client.append(b"x" * 1_000_000, "api")
        assert client.append(b"x" * 1000, "api") == 0
        client.close()

    asyncio.run(serve(path, client_side, journal.append, AppendOptions(max_message_octets=1000)))


def test_other_users_are_not_let_in(tmp_path: Path) -> None:
    journal = Journal()
    path = tmp_path / "append.sock"

    def client_side() -> None:
        client = AppendClient(path)
        with pytest.raises(JournalUnavailable):
            client.append(b"x", "api")

    stranger = AppendOptions(allowed_uids=frozenset({os.geteuid() + 1}))
    asyncio.run(serve(path, client_side, journal.append, stranger))
    assert not journal.given


def test_nobody_listens(tmp_path: Path) -> None:
    client = AppendClient(tmp_path / "append.sock")
    with pytest.raises(JournalUnavailable, match=r"append\.sock"):
        client.append(b"x", "api")


def test_a_client_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    path = tmp_path / "append.sock"
    client = AppendClient(path)
    for _ in range(2):
        journal = Journal()
        append = lambda: client.append(b"x", "api")  # noqa: E731 - run twice
        assert asyncio.run(serve(path, append, journal.append)) == 0
    client.close()


def test_a_dead_process_s_socket_is_replaced_and_a_live_one_s_is_not(tmp_path: Path) -> None:
    path = tmp_path / "append.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    journal = Journal()

    async def main() -> None:
        server = AppendServer(path, journal.append)
        await server.start()
        with pytest.raises(JournalBusy):
            await AppendServer(path, journal.append).start()
        await server.stop()
        await server.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    "octets",
    [b"\x00", LENGTH.pack(0), LENGTH.pack(3) + b"\x01\x09x", LENGTH.pack(5) + b"\x07\x00\x00\x00x",
     LENGTH.pack(6) + b"\x01\x01\xff\x00\x00x"],
)  # fmt: skip
def test_malformed_requests_append_nothing(tmp_path: Path, octets: bytes) -> None:
    journal = Journal()
    path = tmp_path / "append.sock"

    def client_side() -> None:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(path))
            raw.sendall(octets)
            raw.shutdown(socket.SHUT_WR)
            raw.recv(1000)

    asyncio.run(serve(path, client_side, journal.append))
    assert not journal.given


def test_a_server_that_answers_something_else_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "append.sock"
    answers = [LENGTH.pack(10**6), LENGTH.pack(1) + b"\x63"]
    with socket.socket(socket.AF_UNIX) as fake:
        fake.bind(str(path))
        fake.listen()

        def answer() -> None:
            for octets in answers:
                connection, _ = fake.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(octets)

        thread = threading.Thread(target=answer)
        thread.start()
        client = AppendClient(path)
        with pytest.raises(JournalUnavailable, match="something else"):
            client.append(b"x", "api")
        with pytest.raises(FrameError, match="malformed answer"):
            client.append(b"x", "api")
        client.close()
        thread.join()


def test_stopping_lets_requests_end_and_cuts_them_at_the_deadline(tmp_path: Path) -> None:
    path = tmp_path / "append.sock"

    async def main() -> None:
        gate, begun = asyncio.Event(), asyncio.Event()

        async def slow(_raw: bytes, _listener: str, _peer: str) -> int:
            begun.set()
            await gate.wait()
            return 7

        server = AppendServer(path, slow)
        await server.start()
        client = AppendClient(path)
        asked = asyncio.create_task(asyncio.to_thread(client.append, b"x", "api"))
        await begun.wait()
        stopping = asyncio.create_task(server.stop(0.2))
        await until(lambda: not path.exists())
        gate.set()
        assert await asked == 7
        await stopping
        client.close()

    asyncio.run(main())


def test_an_idle_client_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async def main() -> None:
        server = AppendServer(tmp_path / "append.sock", Journal().append)
        await server.start()
        client = AppendClient(tmp_path / "append.sock")
        assert await asyncio.to_thread(client.append, b"x", "api") == 0
        await asyncio.wait_for(server.stop(30), 5)
        client.close()

    asyncio.run(main())


def test_a_request_that_never_ends_is_cut_at_the_deadline(tmp_path: Path) -> None:
    async def main() -> None:
        async def never(_raw: bytes, _listener: str, _peer: str) -> int:
            await asyncio.Event().wait()
            return 0

        server = AppendServer(tmp_path / "append.sock", never)
        await server.start()
        client = AppendClient(tmp_path / "append.sock")
        asked = asyncio.create_task(asyncio.to_thread(client.append, b"x", "api"))
        await asyncio.sleep(0.05)
        await asyncio.wait_for(server.stop(0.1), 5)
        with pytest.raises(JournalUnavailable):
            await asked

    asyncio.run(main())


def test_a_short_path_is_used_as_it_is(tmp_path: Path) -> None:
    with usable_address(Path("/run/x.sock")) as address:
        assert address == "/run/x.sock"
    with pytest.raises(FileNotFoundError), usable_address(tmp_path / ("x" * 200) / "s"):
        pass


def test_names_that_are_too_long_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too long"):
        AppendClient(tmp_path / "append.sock").append(b"", "x" * 256)
