"""Retention, holds and erasure, beside a running repository."""

import base64
import json
from pathlib import Path

import pytest

from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.service.backends import open_index
from audit.service.backup_list import BackupList, KnownBackup
from audit.service.retention import Plan, Planner
from audit.service.retention_policy import Policy
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run, beside, fill_with_years, octets_below
from tests.service.places import Place, make_place

POLICY = """
[[rule]]
category = "*"
minimum = "2 years"
maximum = "10 years"
legal_basis = "by-law 7"
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = make_place(tmp_path, CertificateAuthority.create("test CA"))
    (place.settings.data / "retention.toml").write_text(POLICY)
    return place


def patient_of(place: Place, sequence: int) -> tuple[str, ...]:
    index = open_index(place.settings, place.paths)
    try:
        with JournalReader(place.paths.journal) as reader:
            record = index.get(f"{reader.origin}-{sequence}")
        return () if record is None else record.values("patient")
    finally:
        index.close()


def test_what_is_due_goes_and_what_is_held_stays(place: Place) -> None:
    messages = fill_with_years(place, 30, years_ago=11)

    def act() -> None:
        held = next(n for n in range(20) if patient_of(place, n))
        patient = patient_of(place, held)[0]
        laid = arr_run(
            place, "hold", "add", "--case", "3O17", "--patient", patient, "--reason", "claim"
        )
        assert laid.exit_code == 0, laid.output
        assert "3O17" in arr_run(place, "hold", "list").stdout
        kept = {n for n in range(20) if patient in patient_of(place, n)}
        planned = json.loads(arr_run(place, "retention", "plan", "--json").stdout)
        assert planned["due"] == 20 - len(kept)
        assert planned["held"] == {laid.stdout.strip(): len(kept)}
        assert "would go" in arr_run(place, "retention", "plan").stdout
        done = json.loads(arr_run(place, "retention", "run", "--json").stdout)
        assert done["removed"] == planned["due"]
        assert [one["first"] for one in done["segments"]] == [0, 10]
        again = arr_run(place, "retention", "run")
        assert again.stdout.startswith("0 records removed")
        with JournalReader(place.paths.journal) as reader:
            gone = {n for n in range(20) if reader.read(n).is_removed}
            assert gone == set(range(20)) - kept
        until_forgotten(place, gone)
        assert patient_of(place, held)
        assert arr_run(place, "hold", "release", "--case", "3O17").exit_code == 0
        assert arr_run(place, "hold", "release", "--case", "3O17").exit_code == 1
        assert json.loads(arr_run(place, "retention", "plan", "--json").stdout)["due"] == len(kept)

    beside(place, act)
    found = verify(place.paths.journal)
    assert (found.violations, found.notes) == ((), ())
    assert 0 < found.removed < 20
    result = arr_run(place, "verify")
    assert result.exit_code == 0
    assert f"{found.removed} bodies" in result.stdout
    octets = octets_below(place.paths.journal)
    assert messages[25] in octets
    assert b"by-law 7" in octets
    assert base64.b64encode(b"Legal hol") in octets


def until_forgotten(place: Place, gone: set[int]) -> None:
    from tests.waiting import until

    index = open_index(place.settings, place.paths)
    try:
        with JournalReader(place.paths.journal) as reader:
            ids = [f"{reader.origin}-{n}" for n in gone]
        until(lambda: all(index.get(one) is None for one in ids))
    finally:
        index.close()


def test_a_hold_that_is_laid_while_retention_runs_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_with_years(place, 30, years_ago=11)
    planned = Planner.plan
    held: list[str] = []

    def plan_then_lay(planner: Planner, policy: Policy, now: int, _: object = None) -> Plan:
        plan = planned(planner, policy, now)
        assert plan.count == 20
        laid = arr_run(place, "hold", "add", "--case", "c", "--record", held[0], "--reason", "r")
        assert laid.exit_code == 0
        return plan

    def act() -> None:
        with JournalReader(place.paths.journal) as reader:
            held.append(f"{reader.origin}-13")
        monkeypatch.setattr(Planner, "plan", plan_then_lay)
        done = json.loads(arr_run(place, "retention", "run", "--json").stdout)
        assert done["removed"] == 19
        assert sum(done["held"].values()) == 1

    beside(place, act)
    with JournalReader(place.paths.journal) as reader:
        assert [n for n in range(20) if not reader.read(n).is_removed] == [13]


def test_one_record_is_erased_everywhere_and_the_backups_are_named(place: Place) -> None:
    """Also a record of the segment that is being written."""
    fill_with_years(place, 5, years_ago=1)
    BackupList(place.paths).add(KnownBackup(folder="/mnt/old", made_at=1, entries=2))
    BackupList(place.paths).add(KnownBackup(folder="/mnt/new", made_at=2, entries=50))

    def act() -> None:
        with JournalReader(place.paths.journal) as reader:
            record = f"{reader.origin}-3"
            marker = reader.read(3).received.raw
            leaf = reader.read(3).leaf_hash
        order = ["--order", "LG Ulm 3 O 17/26"]
        assert arr_run(place, "retention", "erase", "x-3", *order).exit_code == 2
        assert arr_run(place, "retention", "erase", "999999", *order).exit_code == 1
        assert arr_run(place, "retention", "erase", record, *order).exit_code == 8
        hold = arr_run(
            place, "hold", "add", "--case", "c", "--record", record, "--reason", "r"
        ).stdout.strip()
        order.append("--before-minimum")
        assert arr_run(place, "retention", "erase", record, *order).exit_code == 8
        assert arr_run(place, "hold", "release", hold).exit_code == 0
        erased = arr_run(place, "retention", "erase", record, *order)
        assert erased.exit_code == 0, erased.output
        assert f"journal: {record} erased, statement 0" in erased.stdout
        assert "index: forgotten" in erased.stdout
        assert "/mnt/new still holds it" in erased.stdout
        assert "/mnt/old" not in erased.stdout
        assert arr_run(place, "retention", "erase", record, *order).exit_code == 1
        with JournalReader(place.paths.journal) as reader:
            assert reader.read(3).is_removed
            assert reader.read(3).leaf_hash == leaf
        assert patient_of(place, 3) == ()
        assert marker not in octets_below(place.paths.journal)
        assert arr_run(place, "retention", "finish").exit_code == 0

    beside(place, act)
    found = verify(place.paths.journal)
    assert (found.violations, found.notes, found.removed) == ((), (), 1)


def test_without_a_running_repository_nothing_is_removed(place: Place) -> None:
    fill_with_years(place, 12, years_ago=11)
    assert json.loads(arr_run(place, "retention", "plan", "--json").stdout)["due"] == 10
    for command in (["retention", "run"], ["hold", "release", "x"]):
        assert arr_run(place, *command).exit_code == 9
    laid = arr_run(place, "hold", "add", "--case", "c", "--user", "u", "--reason", "r")
    assert laid.exit_code == 9
    assert arr_run(place, "hold", "list", "--json").stdout == ""
    assert verify(place.paths.journal).removed == 0


@pytest.mark.parametrize(
    "arguments",
    [["hold", "add", "--case", "c", "--reason", "r"], ["hold", "release"]],
)
def test_what_is_not_said_is_asked_for(place: Place, arguments: list[str]) -> None:
    assert arr_run(place, *arguments).exit_code == 2


def test_without_a_policy_the_settings_do_not_fit(place: Place) -> None:
    (place.settings.data / "retention.toml").unlink()
    assert arr_run(place, "retention", "plan").exit_code == 6


def test_an_index_built_anew_does_not_hold_what_was_removed(place: Place) -> None:
    import shutil

    fill_with_years(place, 25, years_ago=11)

    def remove() -> None:
        assert arr_run(place, "retention", "run").exit_code == 0

    def look() -> None:
        assert patient_of(place, 5) == ()
        index = open_index(place.settings, place.paths)
        with JournalReader(place.paths.journal) as reader:
            assert index.get(f"{reader.origin}-5") is None
            assert index.get(f"{reader.origin}-22") is not None
        index.close()

    beside(place, remove)
    shutil.rmtree(place.paths.index)
    beside(place, look)
