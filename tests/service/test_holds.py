"""audit.service.holds: what holds follow from, and that nobody lifts one unnoticed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.errors import ConfigurationError, IntegrityViolation, NotFound
from audit.index.document import IndexedRecord
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.reader import JournalReader
from audit.journal.writer import JournalOptions, JournalWriter
from audit.query.self_audit import RepositoryIdentity
from audit.record.build import Alert
from audit.service.backup_list import BackupList, KnownBackup
from audit.service.hold_records import (
    LISTENER,
    Hold,
    is_hold_record,
    laid_text,
    released_text,
)
from audit.service.holds import HoldFile, new_hold_id
from audit.service.operator import LISTENER as OPERATORS_LISTENER
from audit.service.own_records import OwnRecords
from audit.service.paths import DataPaths
from tests.journal.faults import Unsynced

OWN = OwnRecords(
    RepositoryIdentity(
        source_id="ARR", site="", hostname="arr", process_id="1", app_name="arr", log_uri="urn:x"
    )
)


class Repository:
    """A journal with a writer, and its holds."""

    def __init__(self, root: Path) -> None:
        self.paths = DataPaths(root)
        self.paths.prepare()
        options = JournalOptions(
            key_file=self.paths.signing_key, position_file=self.paths.position, reserve_octets=0
        )
        self.writer = JournalWriter.open(self.paths.journal, options, files=Files(Unsynced()))
        self.reader = JournalReader(self.paths.journal, self.paths.position)
        self.file = HoldFile(self.paths, self.reader)
        self.note = self.paths.state.parent / "holds.note"

    def record(self, what: str, listener: str = LISTENER) -> None:
        raw = OWN.configuration("op@host", what, Alert.OBJECT_SECURITY_ATTRIBUTES_CHANGED)
        self.writer.append([Received(raw, 1, listener, "")])

    def lay(self, *holds: Hold) -> None:
        for one in holds:
            self.record(laid_text(one))


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    made = Repository(tmp_path)
    yield made
    made.reader.close()
    made.writer.close()


def hold(field: str, *values: str, case: str = "17") -> Hold:
    return Hold(
        id=new_hold_id(), case=case, reason="Ü", field=field, values=values, since=1, by="op@host"
    )


def record(**fields: tuple[str, ...]) -> IndexedRecord:
    return IndexedRecord(id="k3f9-5", sequence=5, time=1, received=1, fields=fields)


def test_the_records_come_in_by_the_operators_door() -> None:
    assert LISTENER == OPERATORS_LISTENER


@pytest.mark.parametrize(
    ("field", "value"),
    [("patient", "PAT-É7"), ("study", "1.2.3"), ("user", "mueller"), ("record", "k3f9-5")],
)
def test_a_hold_holds_what_it_names(repository: Repository, field: str, value: str) -> None:
    laid = hold(field, "other", value.upper())
    repository.lay(hold(field, "nobody"), laid)
    held = record() if field == "record" else record(**{field: ("x", value.lower())})
    for holds in (repository.file.read(), repository.file.refresh(), repository.file.read()):
        assert holds.holding(held) == laid
        if field != "record":
            assert holds.holding(record()) is None
            assert holds.holding(record(address=(value,))) is None


def test_holds_are_released_by_name_or_by_case(repository: Repository) -> None:
    file = repository.file
    holds = [hold("user", "a"), hold("user", "b"), hold("user", "c", case="18")]
    repository.lay(*holds)
    assert file.refresh().all == tuple(holds)
    repository.record(released_text(file.read().named(hold_id=holds[2].id)))
    assert file.read().named(case="17") == tuple(holds[:2])
    repository.record(released_text(file.read().named(case="17")))
    assert file.read().all == ()
    for missing in ({"hold_id": "hold-x"}, {"case": "17"}):
        with pytest.raises(NotFound):
            file.read().named(**missing)
    file.refresh()
    assert file.read().all == ()
    assert repository.note.stat().st_mode & 0o777 == 0o600


def test_an_older_file_or_none_lifts_no_hold(repository: Repository) -> None:
    repository.file.refresh()
    before = repository.note.read_bytes()
    laid = hold("user", "a")
    repository.lay(laid)
    repository.file.refresh()
    repository.note.write_bytes(before)
    assert repository.file.read().all == (laid,)
    repository.note.unlink()
    assert repository.file.read().all == (laid,)


def test_a_sender_can_neither_lay_nor_release_holds(repository: Repository) -> None:
    laid = hold("user", "a")
    repository.lay(laid)
    repository.record(laid_text(hold("user", "b")), listener="tls")
    repository.record(released_text([laid]), listener="tls")
    repository.record("Legal holiday of the operator")
    repository.writer.append([Received(b"no syslog TGVnYWwgaG9s", 1, LISTENER, "")])
    assert repository.file.read().all == (laid,)
    entries = list(repository.reader.iterate(0))
    assert [is_hold_record(one) for one in entries] == [True, *[False] * 4]


@pytest.mark.parametrize("text", ["Legal hold is laid: {}", "Legal holds are released: [1]"])
def test_a_record_of_holds_in_no_known_form_stops_everything(
    repository: Repository, text: str
) -> None:
    repository.record(text)
    with pytest.raises(IntegrityViolation, match="entry 0 changes legal holds"):
        repository.file.read()


def test_an_altered_file_stops_everything(repository: Repository) -> None:
    repository.lay(hold("user", "a"))
    repository.file.refresh()
    note = repository.note.read_text()
    altered = ["", "{", note.replace('"a"', '"b"'), note.replace("through 1", "through 0")]
    altered += [note.replace("log ", "log x"), note.replace("arr-holds 1", "arr-holds 2")]
    for content in altered:
        repository.note.write_text(content)
        with pytest.raises(ConfigurationError, match="delete it to have them read anew"):
            repository.file.read()
    repository.note.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="restore the file"):
        repository.file.read()


def test_the_list_of_backups_tells_which_hold_a_record(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    paths.prepare()
    backups = BackupList(paths)
    old = KnownBackup(folder="/b/1", made_at=1, entries=10)
    new = KnownBackup(folder="/b/2", made_at=2, entries=20)
    assert backups.holding(0) == ()
    for one in (old, KnownBackup(folder="/b/2", made_at=1, entries=1), new):
        backups.add(one)
    assert backups.holding(9) == (old, new)
    assert backups.holding(10) == (new,)
    assert backups.forget(Path("/b/2"))
    assert not backups.forget(Path("/b/2"))
    assert backups.read() == (old,)
    (paths.state.parent / "backups.json").write_text("[1]")
    with pytest.raises(ConfigurationError, match="can't be read"):
        backups.read()
