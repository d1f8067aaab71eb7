from pathlib import Path

import pytest

from audit.errors import ConfigurationError, NotFound
from audit.index.document import IndexedRecord
from audit.service.backup_list import BackupList, KnownBackup
from audit.service.holds import Hold, HoldFile, new_hold_id
from audit.service.paths import DataPaths


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    paths = DataPaths(tmp_path)
    paths.prepare()
    return paths


def hold(field: str, *values: str, case: str = "17") -> Hold:
    return Hold(
        id=new_hold_id(), case=case, reason="r", field=field, values=values, since=1, by="op@host"
    )


def record(**fields: tuple[str, ...]) -> IndexedRecord:
    return IndexedRecord(id="k3f9-5", sequence=5, time=1, received=1, fields=fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [("patient", "PAT-É7"), ("study", "1.2.3"), ("user", "mueller"), ("record", "k3f9-5")],
)
def test_a_hold_holds_what_it_names(paths: DataPaths, field: str, value: str) -> None:
    file = HoldFile(paths)
    laid = hold(field, "other", value.upper())
    file.add(hold(field, "nobody"))
    file.add(laid)
    held = record() if field == "record" else record(**{field: ("x", value.lower())})
    assert file.read().holding(held) == laid
    if field != "record":
        assert file.read().holding(record()) is None
        assert file.read().holding(record(address=(value,))) is None


def test_holds_are_released_by_name_or_by_case(paths: DataPaths) -> None:
    file = HoldFile(paths)
    holds = [hold("user", "a"), hold("user", "b"), hold("user", "c", case="18")]
    for one in holds:
        file.add(one)
    assert file.read().all == tuple(holds)
    file.release(file.named(hold_id=holds[2].id))
    assert file.named(case="17") == tuple(holds[:2])
    file.release(file.named(case="17"))
    assert file.read().all == ()
    for missing in ({"hold_id": "hold-x"}, {"case": "17"}):
        with pytest.raises(NotFound):
            file.named(**missing)
    assert (paths.state.parent / "holds.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["{", "[{}]", '["x"]', '[{"values": [], "x": 1}]'])
def test_damaged_holds_stop_everything(paths: DataPaths, content: str) -> None:
    (paths.state.parent / "holds.json").write_text(content)
    with pytest.raises(ConfigurationError, match="restore the file"):
        HoldFile(paths).read()


def test_the_list_of_backups_tells_which_hold_a_record(paths: DataPaths) -> None:
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
    with pytest.raises(ConfigurationError):
        backups.read()
