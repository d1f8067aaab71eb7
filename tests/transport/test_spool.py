import os
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from audit.errors import ConfigurationError, StorageError
from audit.transport.spool import Spool, SpoolFull, SpoolOptions
from tests.properties import examples

SMALL = SpoolOptions(max_octets=2000, segment_octets=100, sync=False)


def everything(spool: Spool) -> list[bytes]:
    return spool.peek(10**6, 10**9)


def test_first_in_first_out_over_restarts(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", SpoolOptions(segment_octets=30))
    spool.put(b"one", b"", b"three")
    spool.put(b"x" * 100)
    assert len(spool) == 4
    assert spool.peek(2, 10**6) == [b"one", b""]
    spool.remove(2)
    spool.close()
    spool = Spool(tmp_path / "spool", SpoolOptions(segment_octets=30))
    assert everything(spool) == [b"three", b"x" * 100]
    spool.put(b"five")
    spool.remove(3)
    assert everything(spool) == []
    assert list((tmp_path / "spool").glob("*.spool")) == []
    spool.put(b"six")
    assert everything(spool) == [b"six"]
    spool.close()


def test_peek_gives_one_message_at_least(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SMALL)
    spool.put(b"x" * 500, b"y" * 500)
    assert spool.peek(10, 100) == [b"x" * 500]
    assert spool.peek(10, 1000) == [b"x" * 500, b"y" * 500]
    spool.close()


def test_a_full_spool_takes_all_or_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SMALL)
    spool.put(b"x" * 1500)
    with pytest.raises(SpoolFull, match="2000"):
        spool.put(b"y" * 400, b"z" * 400)
    assert len(spool) == 1
    spool.remove(1)
    spool.put(b"y" * 400, b"z" * 400)
    assert len(spool) == 2
    spool.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SMALL)
    with pytest.raises(ConfigurationError, match="another process"):
        Spool(tmp_path, SMALL)
    spool.close()
    Spool(tmp_path, SMALL).close()


def test_a_folder_that_can_t_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Spool(tmp_path / "file" / "spool", SMALL)


def test_a_failing_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, SMALL)
    spool.put(b"one")

    def fail(*_: object) -> int:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("os.write", fail)
        with pytest.raises(StorageError, match="no space left"):
            spool.put(b"two")
    spool.put(b"three")
    assert everything(spool) == [b"one", b"three"]
    spool.close()


def test_the_file_cut_at_every_octet_keeps_every_whole_message(tmp_path: Path) -> None:
    messages = [b"first", b"second message", b"third"]
    spool = Spool(tmp_path / "0", SpoolOptions())
    spool.put(*messages)
    spool.close()
    (segment,) = (tmp_path / "0").glob("*.spool")
    octets = segment.read_bytes()
    ends = [8 + 5, 8 + 5 + 8 + 14, len(octets)]
    for cut in range(len(octets)):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        (folder / segment.name).write_bytes(octets[:cut])
        spool = Spool(folder, SpoolOptions())
        whole = [message for message, end in zip(messages, ends, strict=True) if end <= cut]
        assert everything(spool) == whole
        spool.put(b"after")
        assert everything(spool) == [*whole, b"after"]
        spool.close()
        spool = Spool(folder, SpoolOptions())
        assert everything(spool) == [*whole, b"after"]
        assert spool.damaged_octets == 0
        spool.close()


@given(place=st.integers(0, 100), bit=st.integers(0, 7))
@examples(20)
def test_a_flipped_bit_is_never_sent(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    messages = [b"first", b"second message", b"third"]
    spool = Spool(folder, SpoolOptions(sync=False))
    spool.put(*messages)
    spool.close()
    (segment,) = folder.glob("*.spool")
    octets = bytearray(segment.read_bytes())
    octets[place % len(octets)] ^= 1 << bit
    segment.write_bytes(octets)
    spool = Spool(folder, SpoolOptions(sync=False))
    left = everything(spool)
    assert left == messages[: len(left)]
    assert len(left) < 3
    assert spool.damaged_octets > 0
    assert len(list(folder.glob("*.damaged"))) == 1
    spool.close()


def test_a_lost_count_of_what_was_removed_sends_again_rather_than_not(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolOptions())
    spool.put(b"one", b"two")
    spool.remove(1)
    spool.close()
    (tmp_path / "removed").write_text("torn")
    spool = Spool(tmp_path, SpoolOptions())
    assert everything(spool) == [b"one", b"two"]
    spool.close()


def test_a_segment_that_is_damaged_from_its_first_octet_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolOptions(segment_octets=1))
    for message in (b"one", b"two", b"three"):
        spool.put(message)
    spool.close()
    first, second, third = sorted(tmp_path.glob("*.spool"))
    second.write_bytes(b"rubbish")
    spool = Spool(tmp_path, SpoolOptions(segment_octets=1))
    assert everything(spool) == [b"one", b"three"]
    assert spool.damaged_octets == 7
    spool.put(b"four")
    spool.remove(2)
    spool.close()
    assert not first.exists()
    assert not third.exists()
    spool = Spool(tmp_path, SpoolOptions(segment_octets=1))
    assert everything(spool) == [b"four"]
    spool.close()


def test_a_write_torn_by_a_full_disk_does_not_stop_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, SpoolOptions())
    write = os.write

    def torn(descriptor: int, octets: bytes) -> int:
        write(descriptor, octets[:3])
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("os.write", torn)
        with pytest.raises(StorageError):
            spool.put(b"first")
    spool.put(b"second")
    assert everything(spool) == [b"second"]
    spool.close()
    spool = Spool(tmp_path, SpoolOptions())
    assert everything(spool) == [b"second"]
    spool.put(b"third")
    assert everything(spool) == [b"second", b"third"]
    spool.close()


class SpoolMachine(RuleBasedStateMachine):
    """A spool against a plain queue, with restarts at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(SpoolMachine.root) / f"{SpoolMachine.runs}"
        SpoolMachine.runs += 1
        self.spool = Spool(self.folder, SMALL)
        self.model: deque[bytes] = deque()

    root = ""
    runs = 0

    @rule(messages=st.lists(st.binary(max_size=120), max_size=4))
    def put(self, messages: list[bytes]) -> None:
        try:
            self.spool.put(*messages)
        except SpoolFull:
            needed = sum(len(message) + 8 for message in [*messages, *self.model])
            assert needed > SMALL.max_octets
        else:
            self.model.extend(messages)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, len(self.model)))
        self.spool.remove(count)
        for _ in range(count):
            self.model.popleft()

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = Spool(self.folder, SMALL)
        assert self.spool.damaged_octets == 0

    @invariant()
    def same(self) -> None:
        assert everything(self.spool) == list(self.model)
        assert self.spool.waiting_octets == sum(len(message) + 8 for message in self.model)

    @override
    def teardown(self) -> None:
        self.spool.close()


def test_against_a_plain_queue(tmp_path: Path) -> None:
    SpoolMachine.root = str(tmp_path)
    SpoolMachine.TestCase.settings = examples(15, stateful_step_count=30)
    SpoolMachine.TestCase("runTest").debug()
