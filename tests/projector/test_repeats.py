import pytest

from audit.journal.entry import Entry, EntryKind, Received
from audit.projector.repeats import RepeatMemory, RepeatOptions
from tests.projector.messages import NOW, SECOND, entry

HOUR = 3_600 * SECOND


class Journal:
    """Entries that were noted, readable as the journal is."""

    def __init__(self, **options: int) -> None:
        self.entries: list[Entry] = []
        self.reads = 0
        self.memory = RepeatMemory(self.read, RepeatOptions(**options))

    def read(self, sequence: int) -> Entry:
        self.reads += 1
        return self.entries[sequence]

    def add(self, raw: bytes, at: int = 0, **changes: object) -> Entry:
        one = entry(raw, len(self.entries), received_at=NOW + at, **changes)
        self.entries.append(one)
        return one

    def note(self, raw: bytes, at: int = 0, **changes: object) -> int | None:
        return self.memory.note(self.add(raw, at, **changes))


def test_the_same_octets_from_the_same_source_are_a_repeat() -> None:
    journal = Journal()
    assert journal.note(b"one") is None
    assert journal.note(b"two", 1) is None
    assert journal.note(b"one", 2, peer="192.0.2.9:50000") == 0
    assert journal.note(b"one", 3) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"peer": "192.0.2.10:40112"},
        {"certificate_sha256": bytes(32)},
        {"kind": EntryKind.TRUNCATED, "original_length": 900},
    ],
)
def test_the_same_octets_otherwise_are_none(changes: dict[str, object]) -> None:
    journal = Journal()
    journal.note(b"one")
    assert journal.note(b"one", 1, **changes) is None


def test_one_certificate_from_two_addresses_is_one_source() -> None:
    journal = Journal()
    journal.note(b"one", certificate_sha256=bytes(32))
    assert journal.note(b"one", 1, peer="192.0.2.77:1", certificate_sha256=bytes(32)) == 0


def test_the_window_is_counted_from_the_latest() -> None:
    journal = Journal()
    journal.note(b"one")
    assert journal.note(b"one", 24 * HOUR) == 0
    assert journal.note(b"one", 48 * HOUR) == 1
    assert journal.note(b"one", 72 * HOUR + 1) is None
    assert journal.note(b"one", 71 * HOUR) is None, "a clock set back marks nothing"


def test_no_window_no_repeats() -> None:
    journal = Journal(window_s=0)
    journal.note(b"one")
    assert journal.note(b"one") is None
    assert len(journal.memory) == 0
    assert journal.memory.first_needed(2) == 2


def test_certificates_are_no_messages() -> None:
    journal = Journal()
    journal.note(b"der", kind=EntryKind.CERTIFICATE)
    assert journal.note(b"der", kind=EntryKind.CERTIFICATE) is None


def test_only_so_many_are_remembered() -> None:
    journal = Journal(max_messages=3)
    for number in range(5):
        journal.note(str(number).encode())
    assert len(journal.memory) == 3
    assert journal.note(b"0") is None
    assert journal.note(b"4") == 4


def test_how_far_back_counts_in_entries_not_in_memory() -> None:
    """Else an index built anew, whose memory was filled otherwise, would have other repeats."""
    journal = Journal(max_messages=3)
    journal.note(b"a")
    for _ in range(3):
        journal.note(b"b")
    assert len(journal.memory) == 2
    assert journal.note(b"a") is None


def test_equal_keys_alone_make_no_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    def collide(_received: Received) -> int:
        return 1

    monkeypatch.setattr("audit.projector.repeats._key", collide)
    journal = Journal()
    journal.note(b"one")
    assert journal.note(b"two") is None


@pytest.mark.parametrize("cut", range(31))
def test_a_memory_filled_again_sees_the_same_repeats(cut: int) -> None:
    whole = Journal(window_s=10 * 3600, max_messages=12)
    seen = [whole.note(str(n * n % 7).encode(), n * HOUR) for n in range(30)]
    again = Journal(window_s=10 * 3600, max_messages=12)
    again.entries = whole.entries
    for one in whole.entries[again.memory.first_needed(cut) : cut]:
        again.memory.note(one)
    assert [again.memory.note(one) for one in whole.entries[cut:]] == seen[cut:]


def test_the_first_needed_is_found_with_few_reads() -> None:
    journal = Journal()
    for number in range(1000):
        journal.add(b"x", number * HOUR)
    assert journal.memory.first_needed(1000) == 1000 - 25
    assert journal.reads < 20
    assert journal.memory.first_needed(0) == 0


def test_forgetting_everything() -> None:
    journal = Journal()
    journal.note(b"one")
    journal.memory.clear()
    assert journal.note(b"one") is None
