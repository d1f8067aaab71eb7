"""``arr import`` beside a running repository."""

import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from audit.frame.octet_counting import encode
from audit.journal.reader import JournalReader
from audit.service.backends import open_index
from audit.simulate.hospital import simulate
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run, beside
from tests.service.places import Place, make_place
from tests.waiting import until

LONG_AGO = [one.syslog for one in simulate(5, datetime(2009, 3, 2, tzinfo=UTC), events=300)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path, CertificateAuthority.create("test CA"))


def journaled(place: Place) -> list[tuple[str, bytes]]:
    with JournalReader(place.paths.journal) as reader:
        return [(one.received.listener, one.received.raw) for one in reader.iterate(0)]


def descriptions(place: Place) -> list[str]:
    """What the operator's own records tell, in order."""
    encoded = [
        re.search(rb'type="Alert Description" value="([^"]*)"', raw)
        for listener, raw in journaled(place)
        if listener == "cli"
    ]
    return [b64decode(found[1]).decode() for found in encoded if found]


def test_an_old_archive_is_taken_in_order_with_its_own_times(place: Place) -> None:
    octets = b"".join(map(encode, LONG_AGO))
    archive = place.folder / "archive.bin"
    archive.write_bytes(octets)

    def act() -> None:
        result = arr_run(place, "import", str(archive), "--reason", "the former server", "--json")
        told = json.loads(result.output)
        assert (told["messages"], told["refused"]) == (300, 0)
        assert told["sha256"] == sha256(octets).hexdigest()
        with_time = [raw for listener, raw in journaled(place) if listener == "import"]
        assert with_time == LONG_AGO
        index = open_index(place.settings, place.paths)
        try:
            until(lambda: index.position() > told["last"])
            with JournalReader(place.paths.journal) as reader:
                record = index.get(f"{reader.origin}-{told['first']}")
        finally:
            index.close()
        assert record is not None
        assert datetime.fromtimestamp(record.time / 1e9, UTC).year == 2009
        assert "clock-skew" not in record.values("finding")

    beside(place, act)
    begun, ended = descriptions(place)
    assert begun.endswith("archive.bin (the former server) begins")
    assert ended.endswith(sha256(octets).hexdigest())


def test_a_stream_that_breaks_is_told_with_what_was_taken(place: Place) -> None:
    archive = place.folder / "broken.bin"
    archive.write_bytes(encode(LONG_AGO[0]) + b"nonsense")

    def act() -> None:
        result = arr_run(place, "import", str(archive))
        assert result.exit_code == 1
        assert "broken.bin: expected MSG-LEN" in str(result.exception)

    beside(place, act)
    assert [listener for listener, _ in journaled(place)].count("import") == 1
    assert "was cut short: 1 messages" in descriptions(place)[1]


def test_a_message_that_is_too_long_is_refused_by_name(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARR_SYSLOG__MAX_MESSAGE_OCTETS", "8192")
    folder = place.folder / "old"
    folder.mkdir()
    (folder / "a.xml").write_bytes(b"<AuditMessage>" + b" " * 9000 + b"</AuditMessage>")
    (folder / "b.xml").write_bytes(b"<AuditMessage/>")

    def act() -> None:
        result = arr_run(place, "import", str(folder))
        assert result.exit_code == 1
        assert "a.xml: message 1 has 9029 octets; at most 8192 are taken" in result.stderr
        assert "1 messages of 15 octets" in result.stdout

    beside(place, act)
    assert [raw for listener, raw in journaled(place) if listener == "import"] == [
        b"<AuditMessage/>"
    ]


def test_without_a_repository_nothing_is_taken(place: Place) -> None:
    result = arr_run(place, "import", "-")
    assert result.exit_code == 9
    assert "start it with arr serve" in str(result.exception)
