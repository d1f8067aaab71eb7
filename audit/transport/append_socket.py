"""The one door through which other processes append to the journal: a Unix socket.

``AppendServer`` runs in the receive process; ``AppendClient`` is synchronous, for the web
processes and the command line. An append returns the sequence of a record that is durable.
"""

import asyncio
import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from audit.errors import AuditError, FrameError, JournalBusy, JournalUnavailable, RequestError
from audit.frame.octet_counting import DEFAULT_MAX_MESSAGE_OCTETS
from audit.transport.append_protocol import (
    LENGTH,
    MAX_ANSWER_OCTETS,
    OVERHEAD_OCTETS,
    Answer,
    Request,
    Status,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from audit.transport.unix_path import usable_address

DEFAULT_TIMEOUT_S = 10.0
DEFAULT_MAX_REQUESTS = 64
DEFAULT_IDLE_SOCKETS = 8

OnAppend = Callable[[bytes, str, str], Awaitable[int]]
"""Takes message, listener and peer; its result is the durable sequence."""

_STOP_STEP_S = 0.02
_PEER_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendOptions:
    """Limits of the append socket.

    Attributes:
        max_message_octets: a longer message is refused.
        max_requests: being read or appended at a time, which bounds memory; others wait.
        allowed_uids: users that may append; None for the server's own and root.
    """

    max_message_octets: int = DEFAULT_MAX_MESSAGE_OCTETS
    max_requests: int = DEFAULT_MAX_REQUESTS
    allowed_uids: frozenset[int] | None = None


class AppendServer:
    """Answers each request once ``on_append`` has made it durable.

    Only processes of the same user (or root) are let in, checked by the kernel (SO_PEERCRED).
    """

    def __init__(
        self, path: Path, on_append: OnAppend, options: AppendOptions | None = None
    ) -> None:
        self._path = path
        self._on_append = on_append
        self._options = options or AppendOptions()
        own = frozenset({os.geteuid(), 0})
        self._allowed_uids = self._options.allowed_uids or own
        self._slots = asyncio.Semaphore(self._options.max_requests)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens; a socket that a dead process left behind is replaced.

        Raises:
            JournalBusy: another process listens there.
            OSError: the folder can't be written to.
        """
        listening = _bind(self._path)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening)

    async def stop(self, drain_s: float = 2.0) -> None:
        """Stops listening, lets requests being answered end, removes the socket."""
        if self._server is None:
            return
        self._server.close()
        self._path.unlink(missing_ok=True)
        deadline_s = time.monotonic() + drain_s
        while self._busy and time.monotonic() < deadline_s:
            await asyncio.wait(self._busy, timeout=_STOP_STEP_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            if task is not None and _peer_uid(writer) in self._allowed_uids:
                await self._answer_all(task, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away; what it asked for is durable or was never begun
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer_all(
        self,
        task: asyncio.Task[None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        longest = self._options.max_message_octets + OVERHEAD_OCTETS
        while True:
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            if length > longest:
                words = f"a request of {length} octets; at most {longest} are taken"
                writer.write(encode_answer(Answer(Status.REFUSED, words=words)))
                await writer.drain()
                return
            self._busy.add(task)
            try:
                async with self._slots:
                    answer = await self._append(await reader.readexactly(length))
                writer.write(encode_answer(answer))
                await writer.drain()
            finally:
                self._busy.discard(task)

    async def _append(self, body: bytes) -> Answer:
        try:
            request = decode_request(body)
            sequences = await self._append_each(request)
        except (FrameError, RequestError) as error:
            return Answer(Status.REFUSED, words=str(error))
        except JournalBusy as error:
            return Answer(Status.BUSY, words=str(error))
        except AuditError as error:
            return Answer(Status.UNAVAILABLE, words=str(error))
        return Answer(Status.DURABLE, sequences)

    async def _append_each(self, request: Request) -> tuple[int, ...]:
        """Hand over all messages in their order, then wait for all: they share syncs."""
        appends = [
            asyncio.ensure_future(self._on_append(raw, request.listener, request.peer))
            for raw in request.raws
        ]
        done = await asyncio.gather(*appends, return_exceptions=True)
        failures = [one for one in done if isinstance(one, BaseException)]
        if failures:
            raise failures[0]
        return tuple(one for one in done if isinstance(one, int))


class AppendClient:
    """Appends to the journal of this machine. Thread-safe; threads don't wait for each other.

    A request is sent again once when an idle connection turns out dead, so that in rare cases
    a message is recorded twice, never not at all.
    """

    def __init__(self, path: Path, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()

    def append(self, raw: bytes, listener: str, peer: str = "") -> int:
        """The sequence of the record, which is durable.

        Raises:
            JournalUnavailable: nothing listens, or the journal failed: nothing was promised.
            JournalBusy: the journal's queue is full; try again.
            FrameError: the request is larger than the server takes, or can't be journaled.
        """
        return self.append_all((raw,), listener, peer)[0]

    def append_all(self, raws: Sequence[bytes], listener: str, peer: str = "") -> tuple[int, ...]:
        """The sequences of the records, which are durable and stand in the order given.

        Args:
            raws: messages, at most ``MAX_BATCH``.
            listener: how they came.
            peer: from where.

        Raises:
            ValueError: too many messages, or none.
            JournalUnavailable: as for ``append``; some of the messages may be durable.
            JournalBusy: likewise.
            FrameError: likewise.
        """
        request = encode_request(Request(tuple(raws), listener, peer))
        try:
            answer = self._ask(request)
        except OSError as error:
            raise JournalUnavailable(f"{self._path}: {error}") from error
        if answer.status is Status.DURABLE:
            return answer.sequences
        if answer.status is Status.BUSY:
            raise JournalBusy(answer.words)
        if answer.status is Status.REFUSED:
            raise FrameError(answer.words)
        raise JournalUnavailable(answer.words)

    def close(self) -> None:
        """Closes idle connections; the client may be used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _ask(self, request: bytes) -> Answer:
        with self._lock:
            used = self._idle.pop() if self._idle else None
        if used is not None:
            with suppress(ConnectionError), self._kept(used):
                return _exchange(used, request)
        fresh = self._connect()
        with self._kept(fresh):
            return _exchange(fresh, request)

    @contextmanager
    def _kept(self, connection: socket.socket) -> Iterator[None]:
        """Keeps the connection for later, or closes it when the exchange failed."""
        try:
            yield
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if len(self._idle) < DEFAULT_IDLE_SOCKETS:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._timeout_s)
            with usable_address(self._path) as address:
                connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection


def _exchange(connection: socket.socket, request: bytes) -> Answer:
    with suppress(BrokenPipeError):  # refused while sending: the answer says why
        connection.sendall(request)
    (length,) = LENGTH.unpack(_read_exactly(connection, LENGTH.size))
    if length > MAX_ANSWER_OCTETS:
        raise ConnectionError("the append socket answered something else")
    return decode_answer(_read_exactly(connection, length))


def _read_exactly(connection: socket.socket, count: int) -> bytes:
    octets = bytearray()
    while len(octets) < count:
        chunk = connection.recv(count - len(octets))
        if not chunk:
            raise ConnectionError("the receive process closed the append socket")
        octets += chunk
    return bytes(octets)


def _bind(path: Path) -> socket.socket:
    with usable_address(path) as address:
        _remove_stale(path, address)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(address)
            path.chmod(0o600)
        except BaseException:
            listening.close()
            raise
    return listening


def _remove_stale(path: Path, address: str) -> None:
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            path.unlink()
            return
    raise JournalBusy(f"{path}: another process serves this journal")


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    connection: socket.socket = writer.get_extra_info("socket")
    octets = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    _, uid, _ = _PEER_CREDENTIALS.unpack(octets)
    return int(uid)
