"""What the collector reports of its own recording: each of these is a record in the journal."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from audit.errors import RequestError
from audit.journal.entry import EntryKind, Received
from audit.journal.files import Files
from audit.journal.initialise import read_identity
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.journal.writer import JournalWriter
from audit.record.parse import parse
from audit.service import receive
from audit.service.clock import ClockState
from audit.service.journal_keys import ask_for_key, take_key_request
from audit.service.receive import ReceiveRole
from audit.service.receive_options import journal_options
from audit.service.recording import SteadyClock
from audit.transport.append_socket import AppendClient
from audit.transport.pki import CertificateAuthority
from tests.journal.faults import LittleRoom
from tests.service.places import Place, make_place
from tests.waiting import until

MESSAGE = b"<85>1 2026-01-01T00:00:00Z ct1 scan 7 IHE+RFC-3881 - <AuditMessage/>"


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    return make_place(tmp_path, authority)


def recorded(place: Place, act: Callable[[ReceiveRole], Awaitable[None]] | None = None) -> None:
    """Run the collector, with something done meanwhile."""

    async def body() -> None:
        role = ReceiveRole(place.settings, place.paths)
        await role.start()
        stop = asyncio.Event()
        run = asyncio.create_task(role.run(stop))
        try:
            if act is not None:
                await act(role)
        finally:
            stop.set()
            await run
            await role.stop()

    asyncio.run(asyncio.wait_for(body(), 40))


def alerts(place: Place) -> list[str]:
    """What the collector's alerts say, in order, from the durable records."""
    found = []
    with JournalReader(place.paths.journal, place.paths.position) as reader:
        for entry in reader.iterate(0):
            received = entry.received
            if received.kind is not EntryKind.MESSAGE or received.listener != "own":
                continue
            message = parse(received.raw[received.raw.index(b"<?xml") :])
            found += [
                (detail.octets or b"").decode()
                for one in message.participant_objects
                for detail in one.participant_object_details
            ]
    return found


def told(place: Place, pattern: str) -> list[str]:
    return [text for text in alerts(place) if re.search(pattern, text)]


def test_start_and_stop_and_the_gap_between(place: Place) -> None:
    recorded(place)
    assert told(place, "^Gap") == []
    (start,) = told(place, "^Recording starts at sequence 0; clock ")
    assert read_identity(place.paths.journal).current_key.text in start
    assert re.search("settings [0-9a-f]{64}$", start)
    assert len(told(place, r"^Recording stops at sequence \d+$")) == 1
    recorded(place)
    (gap,) = told(place, "^Gap: nothing was recorded from ")
    assert gap.endswith("the collector had been stopped")
    assert told(place, "^Settings changed") == []


def test_a_crash_is_a_gap_with_its_reason_and_what_was_recovered(place: Place) -> None:
    recorded(place)
    options = journal_options(place.settings, place.paths)
    writer = JournalWriter.open(place.paths.journal, options)
    writer.append([Received(MESSAGE, 1_770_000_000_000_000_000, "tls", "192.0.2.1:1")])
    writer._reason = "killed"  # so that no head is signed at the end
    writer.close()
    last = max((place.paths.journal / "segments").iterdir())
    last.write_bytes(last.read_bytes() + b"ARRE\x01torn")
    recorded(place)
    (gap,) = told(place, "^Gap: nothing was recorded from 2026-02-02T02:40:00")
    assert "without saying so" in gap
    assert len(told(place, "9 octets was cut from .*; 1 entries after the last head were")) == 1


def test_a_full_disk_is_a_gap_once_there_is_room_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = LittleRoom(1 << 40)
    monkeypatch.setattr("audit.journal.writer.Files", lambda: Files(disk))

    async def act(role: ReceiveRole) -> None:
        client = AppendClient(place.paths.append_socket)
        disk.free = -1
        with pytest.raises(Exception, match="disk"):
            await asyncio.to_thread(client.append, MESSAGE, "web")
        await asyncio.to_thread(until, lambda: role.status().ready is False)
        disk.free = 1 << 40
        await asyncio.to_thread(until, lambda: bool(told(place, "^Gap: no data was taken")))
        client.close()

    recorded(place, act)
    (gap,) = told(place, "^Gap: no data was taken")
    assert "the disk had no room" in gap
    assert verify(place.paths.journal).intact


def test_a_short_pause_for_a_full_queue_is_none(place: Place) -> None:
    async def act(role: ReceiveRole) -> None:
        role._note_pause(True, 1_000_000_000, False)
        role._note_pause(False, 1_900_000_000, False)
        role._note_pause(False, 9_000_000_000, False)
        role._note_pause(True, 2_000_000_000, False)
        role._note_pause(False, 3_000_000_000, False)

    recorded(place, act)
    (gap,) = told(place, "^Gap: no data")
    assert "(1.000 s), for more came than the disk takes" in gap


def test_the_clock_is_lost_and_found_and_set(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ClockState(known=True, synchronised=True, max_error_s=0.01)
    monkeypatch.setattr(receive, "clock_state", lambda: state)

    async def act(role: ReceiveRole) -> None:
        nonlocal state
        for synchronised in (False, False, True):
            state = ClockState(known=True, synchronised=synchronised, max_error_s=0.5)
            role._watch_clock()
        role._steady._apart -= 7_000_000_000
        role._watch_clock_step()
        role._watch_clock_step()

    recorded(place, act)
    assert len(told(place, "^The clock is now not synchronised")) == 1
    assert len(told(place, "^The clock is now synchronised")) == 1
    assert len(told(place, r"^The clock was set forward by 7\.\d+ s$")) == 1


def test_a_clock_that_is_set_is_told_from_one_that_drifts() -> None:
    wall, steady = 5_000, 70
    clock = SteadyClock(lambda: wall, lambda: steady)
    wall, steady = wall + 900_000_000, steady + 100
    assert clock.step_s() == 0
    wall -= 3_000_000_000
    assert clock.step_s() == pytest.approx(-3)
    assert clock.step_s() == 0


def test_changed_settings_are_named_with_both_values(
    place: Place, tmp_path: Path, authority: CertificateAuthority
) -> None:
    recorded(place)
    other = make_place(tmp_path, authority, journal__seal_level=9, syslog__idle_timeout_s=77)
    recorded(other)
    recorded(other)
    (change,) = told(place, "^Settings changed since the last start")
    assert "journal.seal_level from 6 to 9" in change
    assert "syslog.idle_timeout_s from 3600.0 to 77.0" in change
    seen = place.paths.state.parent / "settings-seen.json"
    seen.write_text("{")
    recorded(other)
    assert len(told(place, "^Settings changed")) == 1


def test_the_signing_key_is_replaced_on_request(place: Place) -> None:
    async def act(role: ReceiveRole) -> None:
        await asyncio.to_thread(until, lambda: bool(told(place, "^Recording starts")))
        ask_for_key(place.paths, 3600)
        await asyncio.to_thread(until, lambda: len(read_identity(place.paths.journal).keys) == 2)
        (place.paths.run / "rotate-key").write_text("[]")
        await asyncio.to_thread(until, lambda: not (place.paths.run / "rotate-key").exists())
        assert role.status().ready

    recorded(place, act)
    identity = read_identity(place.paths.journal)
    (change,) = told(place, "^The journal's signing key was replaced")
    assert identity.current_key.text in change
    assert f"above size {identity.keys[1].since - 1} " in change
    assert verify(place.paths.journal).violations == ()
    assert take_key_request(place.paths) is None


def test_a_key_that_can_not_be_replaced_now_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: JournalWriter, __: float) -> None:
        raise RequestError("not now")

    monkeypatch.setattr(JournalWriter, "rotate_key", refuse)

    async def act(role: ReceiveRole) -> None:
        ask_for_key(place.paths, 3600)
        await role._watch_key_request()

    recorded(place, act)
    assert len(read_identity(place.paths.journal).keys) == 1
