"""Sender processes: each sends simulated messages over its own mutual-TLS connection, as told."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess

from audit.bench.traffic import recent
from audit.errors import ConnectionFailed
from audit.transport.sender import SenderOptions, SyslogTlsSender
from audit.transport.tls import ClientTls

_LOOK_EVERY_S = 0.005
_PREPARED_WITHIN_S = 300.0
_CLOSED_WITHIN_S = 120.0
_PATIENCE_S = 60.0
_OUTSTANDING = 2
_ZONE = b"Z "
_MOST_ROUNDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPlan:
    """What one sender process does.

    Attributes:
        host: of the receiver; loopback.
        port: of the receiver.
        tls: how to connect.
        seed: its own messages follow from it.
        messages: different messages; then they come again with another header time.
    """

    host: str
    port: int
    tls: ClientTls
    seed: int
    messages: int = 10_000


def told_apart(messages: list[bytes]) -> Iterator[bytes]:
    """The messages over and over, never the same octets twice: the header's time grows finer."""
    for time_round, message in ((n, one) for n in cycle(range(_MOST_ROUNDS)) for one in messages):
        at = message.index(_ZONE)
        yield b"%b%03d%b" % (message[:at], time_round, message[at:])


def send_when_told(plan: SenderPlan, pipe: "connection.Connection") -> None:
    """In its own process: a number on the pipe is answered once so many are sent; 0 ends it.

    The answer is how many octets they had, and at the end whether the receiver confirmed all.
    """
    source = told_apart(list(recent(plan.messages, plan.seed)))
    patient = SenderOptions(timeout_s=_PATIENCE_S)
    sender = SyslogTlsSender(plan.host, plan.tls, plan.port, patient)
    try:
        pipe.send(0)
        while wanted := pipe.recv():
            block = [message for _, message in zip(range(wanted), source, strict=False)]
            sender.send(*block)
            pipe.send(sum(map(len, block)))
        pipe.send(sender.close())
    except (ConnectionFailed, EOFError, OSError) as error:
        pipe.send(str(error))
    finally:
        sender.close()


class Senders:
    """Several sender processes, told from here how much to send."""

    def __init__(self, plans: list[SenderPlan], block: int = 250) -> None:
        self._block = block
        self._processes: list[BaseProcess] = []
        self._pipes: list[connection.Connection] = []
        self._waiting: dict[connection.Connection, int] = {}
        self.sent = 0
        self.octets = 0
        context = get_context("spawn")
        for plan in plans:
            ours, theirs = context.Pipe()
            process = context.Process(target=send_when_told, args=(plan, theirs), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._pipes.append(ours)
        for pipe in self._pipes:
            self._answer(pipe, _PREPARED_WITHIN_S)

    def send(self, count: int) -> None:
        """Send so many, or a few more, and wait until the kernel took them."""
        until = self.sent + count
        self._tell(lambda: self.sent + self._on_the_way() < until)
        while self._on_the_way():
            self._collect(_PATIENCE_S)

    def send_for(self, seconds: float, may: Callable[[], bool] = lambda: True) -> None:
        """Keep all senders busy for so long, while ``may`` allows it."""
        deadline = time.monotonic() + seconds
        self.send_until(lambda: time.monotonic() >= deadline, may)

    def send_until(self, is_done: Callable[[], bool], may: Callable[[], bool]) -> None:
        """Keep all senders busy until that is so, while ``may`` allows it."""
        while not is_done():
            self._tell(may)
            self._collect(_LOOK_EVERY_S)
        while self._on_the_way():
            self._collect(_PATIENCE_S)

    def finish(self) -> bool:
        """End the connections; whether the receiver confirmed every message."""
        for pipe in self._pipes:
            pipe.send(0)
        confirmed = [self._answer(pipe, _CLOSED_WITHIN_S) is True for pipe in self._pipes]
        return all(confirmed)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.join()
        for pipe in self._pipes:
            pipe.close()

    def _on_the_way(self) -> int:
        return self._block * sum(self._waiting.values())

    def _tell(self, may: Callable[[], bool]) -> None:
        """Give out blocks in turn, to each sender at most a few ahead."""
        for _ in range(_OUTSTANDING):
            for pipe in self._pipes:
                if self._waiting.get(pipe, 0) < _OUTSTANDING and may():
                    pipe.send(self._block)
                    self._waiting[pipe] = self._waiting.get(pipe, 0) + 1

    def _collect(self, within_s: float) -> None:
        for ready in connection.wait(self._pipes, within_s):
            if isinstance(ready, connection.Connection):
                self.octets += int(self._answer(ready, within_s))
                self.sent += self._block
                self._waiting[ready] -= 1

    def _answer(self, pipe: "connection.Connection", within_s: float) -> int | bool:
        """The next answer.

        Raises:
            ConnectionFailed: the sender failed, or says nothing.
        """
        try:
            answer = pipe.recv() if pipe.poll(within_s) else "a sender does not answer"
        except EOFError:
            answer = "a sender ended"
        if isinstance(answer, str):
            raise ConnectionFailed(answer)
        return int(answer) if not isinstance(answer, bool) else answer


@contextmanager
def sending(plans: list[SenderPlan], block: int = 250) -> Iterator[Senders]:
    """Sender processes, ready to send; ended afterwards."""
    with ExitStack() as undo:
        senders = Senders(plans, block)
        undo.callback(senders.close)
        yield senders
