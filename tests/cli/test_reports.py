"""``arr report`` and ``arr export`` in their forms, near and far."""

import csv
import io
import json
from pathlib import Path

import pytest

from audit.errors import IncompleteCheck, JournalUnavailable, NotFound, RequestError
from audit.journal.standalone import verify_evidence
from audit.query.exports.csv_form import CsvExport
from audit.service.publish_proofs import journal_keys
from tests import pki
from tests.cli.running import arr_run, beside, fill_with_years
from tests.cli.test_remote import Place, near, place, run, silence
from tests.service.places import Place as Folder
from tests.service.places import make_place
from tests.web.stack import hospital_day

__all__ = ["near", "place", "silence"]


@pytest.fixture
def hospital(near: Place) -> Place:
    near.stack.add(hospital_day(30))
    return near


def patient_of(hospital: Place) -> str:
    return hospital.stack.search.trail.index.distinct("patient", size=1)[0]


@pytest.mark.parametrize("far", [True, False])
def test_every_kind_near_and_far(hospital: Place, far: bool) -> None:
    more = hospital.remote if far else ()
    whom = ("--patient", patient_of(hospital))
    for kind, about in {
        "access": whom,
        "disclosures": whom,
        "patients": whom,
        "user": ("nobody",),
        "study": ("1.2.3",),
        "activity": (),
    }.items():
        result = run("report", kind, *about, *more)
        assert result.exit_code == 0, result.output
        assert "How far this can be relied on" in result.stdout
        told = json.loads(run("report", kind, *about, *more, "--json").stdout)
        assert (told["kind"], told["partial"]) == (kind, False)


def test_files_for_their_owner_alone(hospital: Place, tmp_path: Path) -> None:
    whom = ("report", "access", "--patient", patient_of(hospital), "--reason", "complaint 12")
    for form, begin in (("pdf", b"%PDF-"), ("csv", b'"report","fact"')):
        file = tmp_path / f"out.{form}"
        assert run(*whom, "--format", form, "-o", str(file)).exit_code == 0
        assert file.read_bytes().startswith(begin)
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("hospital")
def test_identifiers_as_messages_have_them() -> None:
    result = run("report", "access", "--patient", "X9^^^NAME&2.999&ISO", "--json")
    assert json.loads(result.stdout)["asked"] == [{"name": "Patient", "value": "X9 (2.999)"}]


def test_for_the_patient(hospital: Place) -> None:
    whom = ("report", "access", "--patient", patient_of(hospital), "--for-patient")
    assert "Staff member 1" in run(*whom).stdout
    with pytest.raises(RequestError, match="for what reason"):
        run(*whom, "--reveal")
    shown = json.loads(run(*whom, "--reveal", "--reason", "court order", "--json").stdout)
    assert shown["sections"][-1]["name"] == "staff"


@pytest.mark.parametrize("far", [True, False])
def test_a_review_is_signed_off(hospital: Place, far: bool) -> None:
    more = hospital.remote if far else ()
    period = ("--from", "2026-05-01", "--to", "2026-06-01T00:00:00+02:00", *more)
    made = json.loads(run("report", "activity", "--json", *period).stdout)
    signed = run("report", "sign-off", made["record"], "--statement", "fine", *period)
    assert signed.stdout.startswith("signed off as ")
    again = run("report", "sign-off", made["record"], "--statement", "fine", "--json", *period)
    assert json.loads(again.stdout)["record"]
    with pytest.raises(NotFound):
        run("report", "sign-off", "999999", "--statement", "fine", *period)


def test_a_period_that_is_none(hospital: Place) -> None:
    with pytest.raises(RequestError):
        run("report", "activity", "--from", "soon", *hospital.remote[:0])


def test_it_needs_a_running_repository(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        run("report", "activity", "--data", str(tmp_path))


class TestExport:
    @pytest.mark.parametrize("far", [True, False])
    def test_forms_near_and_far(self, near: Place, tmp_path: Path, far: bool) -> None:
        more = near.remote if far else ()
        for form in ("ndjson", "csv", "original"):
            file = tmp_path / form
            asked = ("--query", "number", "--reason", "why", "--oldest-first", "-o", str(file))
            result = run("export", "--format", form, *asked, *more)
            assert result.exit_code == 0, result.output
            assert file.stat().st_mode & 0o077 == 0
        rows = list(csv.reader(io.StringIO((tmp_path / "csv").read_text(), newline="")))
        assert len(rows) == 5
        frames = (tmp_path / "original").read_bytes()
        assert frames.startswith(b"39 <85>1 - host app - - - number 0") or b"number 0" in frames

    def test_nothing_is_left_over_there(self, near: Place, tmp_path: Path) -> None:
        run("export", "--format", "csv", "-o", str(tmp_path / "x"), *near.remote)
        folder = near.stack.folder / "exports"
        assert list(folder.iterdir()) == []

    def test_what_fails_over_there(self, near: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> bytes:
            raise NotFound("gone")

        monkeypatch.setattr(CsvExport, "_trailer", broken)
        with pytest.raises(IncompleteCheck, match="failed: gone"):
            run("export", "--format", "csv", *near.remote)

    def test_wrong_usage(self, near: Place) -> None:
        for wrong in (("a", "--query", "b"), ("--json", "--format", "csv")):
            assert run("export", *wrong, *near.remote).exit_code == 2
        assert run("export", "--format", "evidence", *near.remote).exit_code == 2


def test_a_bundle_of_a_whole_repository(tmp_path: Path) -> None:
    folder: Folder = make_place(tmp_path, pki.authority())
    fill_with_years(folder, 12, years_ago=0.01)
    bundle = tmp_path / "case.zip"

    def act() -> None:
        asked = ("--query", "", "--format", "evidence", "--reason", "case 7", "-o", str(bundle))
        result = arr_run(folder, "export", *asked)
        assert result.exit_code == 0, result.output

    beside(folder, act)
    (key,) = journal_keys(folder.paths)
    assert verify_evidence.main(["bundle", str(bundle), "--key", key.text]) == 0
    assert folder.paths.exporter_key.stat().st_mode & 0o077 == 0
