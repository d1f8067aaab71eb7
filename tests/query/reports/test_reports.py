"""Reports on the little hospital, against answers worked out by hand."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit.errors import Denied, IndexUnavailable, JournalUnavailable, NotFound, RequestError
from audit.query.access import Scope
from audit.query.reports.asked import PatientIdentity, ReportAsked, ReportOptions
from audit.query.reports.report import Kind, Report
from audit.query.reports.service import KINDS, ReportService, SignOff, title_of
from audit.record.audit_message import ActiveParticipant, CodedValue
from audit.state.aliases import Link, Name
from audit.state.store import StateStore
from tests.projector.messages import DESTINATION, DESTINATION_MEDIA, SOURCE, event, message, study
from tests.query.reports import hospital as h
from tests.query.reports.hospital import (
    CLINIC,
    DAY,
    DOCUMENT,
    HOSPITAL,
    MONDAY,
    NEXT_MONDAY,
    STUDY,
    Hospital,
)
from tests.query.trail import MARA, NOBODY, Trail

ANN = PatientIdentity("P1", HOSPITAL)
OLD_ANN = PatientIdentity("X9", CLINIC)
BOB = PatientIdentity("P2", HOSPITAL)

Rows = list[dict[str, str]]


@pytest.fixture
def hospital(trail: Trail) -> Trail:
    Hospital(trail).week()
    return trail


def service(trail: Trail, **changes: Any) -> ReportService:
    return ReportService(trail.service().trail, ReportOptions(**changes))


def report(trail: Trail, kind: Kind, *patients: PatientIdentity, **asked: Any) -> Report:
    given: dict[str, Any] = {"start": MONDAY, "end": NEXT_MONDAY, "patients": patients}
    return service(trail).make(MARA, ReportAsked(kind=kind, **(given | asked)))


def rows(made: Report, section: str) -> Rows:
    every = {one.name: one.as_dict()["rows"] for one in (*made.sections, *made.reliance)}
    found: Rows = every[section]
    return found


def text(made: Report) -> str:
    return json.dumps(made.as_dict(), ensure_ascii=False)


def test_who_accessed_a_merged_patient(hospital: Trail) -> None:
    made = report(hospital, "access", ANN, OLD_ANN)
    found = rows(made, "accesses")
    times = [row["time"][5:16] for row in found]
    assert times == [
        "05-25T09:00",  # Vera, the study
        "05-25T10:00",  # Nils at the clinic, as X9
        "05-26T08:00",  # Nils, two patients
        "05-26T09:00",  # Vera, once though delivered twice
        "05-27T08:00",  # the document comes in
        "05-27T09:00",  # ITI-43 names only the document
        *(f"05-28T{hour:02d}:00" for hour in (8, 9, 10, 11, 12)),
    ]
    assert found[0]["who"] == "Dr. Vera Klein (vera@hospital)"
    assert found[0]["data"] == f"CT Thorax [{STUDY}]"
    assert found[0]["purpose"] == "treatment (TREAT)"
    assert found[1]["where"] == "clinic-1"
    assert found[5]["how"] == f"names no patient; attributed by document {DOCUMENT}"
    assert found[5]["who"] == "Dr. Out Side (guest@outside)"
    assert found[10]["outcome"] == "serious failure"


def test_only_the_identifiers_that_were_given_are_sought(hospital: Trail) -> None:
    before = rows(report(hospital, "access", ANN), "accesses")
    merged = rows(report(hospital, "access", ANN, OLD_ANN), "accesses")
    assert len(merged) == len(before) + 1
    anybody = rows(report(hospital, "access", PatientIdentity("p1")), "accesses")
    assert len(anybody) == len(before) + 1, "without an assigner the namesake's P1 counts too"
    identities = rows(report(hospital, "access", ANN, OLD_ANN), "identities")
    assert [row["value"] for row in identities] == [f"P1 ({HOSPITAL})", f"X9 ({CLINIC})"]


@pytest.mark.parametrize("kind", ["access", "disclosures"])
def test_no_other_patient_of_an_event_is_shown(hospital: Trail, kind: Kind) -> None:
    told = text(report(hospital, kind, ANN, OLD_ANN))
    for hidden in ("P2", "Bob", "Other", "1.2.840.99.8", "Nora", "Namesake"):
        assert hidden not in told, hidden
    found = rows(report(hospital, "access", ANN), "accesses")
    assert "not told" in found[1]["data"]


def test_merged_identities_of_the_table_are_used(hospital: Trail, tmp_path: Path) -> None:
    with StateStore(f"sqlite:///{tmp_path / 'state.db'}") as state:
        one, other = Name("P1", HOSPITAL), Name("X9", CLINIC)
        state.aliases.link(
            "patient", [Link((one, other), "merge of 3 June")], by="mpi", source="csv"
        )
        reports = ReportService(hospital.service().trail, aliases=state.aliases)
        asked = ReportAsked(kind="access", start=MONDAY, end=NEXT_MONDAY, patients=(ANN,))
        made = reports.make(MARA, asked)
        known = report(hospital, "access", ANN, OLD_ANN)
    assert rows(made, "accesses") == rows(known, "accesses")
    assert rows(made, "identities")[1] == {
        "what": "the same patient, by merge of 3 June",
        "value": f"X9 ({CLINIC})",
    }
    assert "version 1" in made.reliance[0].note


def test_by_person(hospital: Trail) -> None:
    found = rows(report(hospital, "access", ANN, OLD_ANN), "people")
    times = {row["who"]: row["times"] for row in found}
    assert times["Dr. Vera Klein (vera@hospital)"] == "7"
    assert times["Omar Clerk (omar@hospital)"] == "5"
    assert times["Nils Arndt (nils@hospital)"] == "2"
    assert times["repo"] == "1"


def test_staff_are_numbered_for_the_patient(hospital: Trail) -> None:
    made = report(hospital, "access", ANN, pseudonymised=True)
    told = text(made)
    for hidden in ("Vera", "vera@", "Nils", "nils@", "Omar", "Law Firm", "guest@"):
        assert hidden not in told, hidden
    who = [row["who"] for row in rows(made, "accesses")]
    assert who[0] == who[2] == "Staff member 1"
    assert "GDPR" in made.basis
    assert "staff" not in [one.name for one in made.sections]


def test_staff_are_named_for_a_recorded_reason_only(hospital: Trail) -> None:
    with pytest.raises(RequestError, match="for what reason"):
        report(hospital, "access", ANN, pseudonymised=True, revealed=True)
    made = report(
        hospital, "access", ANN, pseudonymised=True, revealed=True, reason="court order 7"
    )
    assert rows(made, "staff")[0] == {
        "number": "Staff member 1",
        "who": "Dr. Vera Klein (vera@hospital)",
    }
    told = [one for one in hospital.details() if "report" in one][-1]
    assert (told["staff"], told["reason"]) == ("named", "court order 7")


def test_accounting_of_disclosures(hospital: Trail) -> None:
    made = report(hospital, "disclosures", ANN, OLD_ANN)
    research, legal = rows(made, "disclosures")
    assert research["recipient"] == "Dr. Out Side (guest@outside)"
    assert research["address"] == "x.org"
    assert research["what"] == f"document {DOCUMENT}"
    assert research["purpose"] == "healthcare research (HRESCH)"
    assert research["by"] == "repo"
    assert legal["recipient"] == "Law Firm (lawyer@firm.example)"
    assert legal["by"] == "Dr. Vera Klein (vera@hospital); Omar Clerk (omar@hospital)"
    assert (legal["times"], legal["first"][:16], legal["last"][:16]) == (
        "2",
        "2026-05-28T08:00",
        "2026-05-28T09:00",
    )
    assert len(legal["records"].split()) == 2


def test_the_exclusion_log(hospital: Trail) -> None:
    found = rows(report(hospital, "disclosures", ANN), "left_out")
    assert [(row["paragraph"], row["why"]) for row in found] == [
        ("164.528(a)(1)(i)", "treatment, payment or health care operations"),
        ("164.528(a)(1)(ii)", "to the individual"),
        ("", "it did not succeed: serious failure"),
    ]
    assert all(row["record"] for row in found)


def test_a_disclosure_for_two_purposes_is_left_out_only_by_both(trail: Trail) -> None:
    told = Hospital(trail)
    for purposes in ((h.TREATMENT, h.RESEARCH), (h.TREATMENT, h.TREATMENT)):
        told.event(
            1,
            "110106",
            (h.system("A", SOURCE), h.system("B", DESTINATION)),
            h.patients(h.ANN),
            purposes_of_use=purposes,
        )
    trail.follow()
    made = report(trail, "disclosures", ANN)
    assert (len(rows(made, "disclosures")), len(rows(made, "left_out"))) == (1, 1)


def test_disclosures_onto_media_and_to_whoever_asked(trail: Trail) -> None:
    told = Hospital(trail)
    disc = ActiveParticipant(
        user_id="DVD 7",
        role_id_codes=(DESTINATION_MEDIA,),
        media_type=CodedValue("110033", "DCM", "DVD"),
    )
    asking = h.agent("court@law", "The Court", CodedValue("110150", "DCM", "Application"))
    told.event(1, "110106", (h.VERA, disc), h.patients(h.ANN))
    told.event(2, "110106", (h.system("PACS", SOURCE), asking), h.patients(h.ANN))
    told.event(
        3, "110102", (h.system("A", SOURCE), h.system("FAR", DESTINATION)), h.patients(h.ANN)
    )
    told.event(4, "110106", (h.VERA, h.system("B", DESTINATION), disc), h.patients(h.ANN))
    trail.follow()
    made = report(trail, "disclosures", ANN)
    assert [row["recipient"] for row in rows(made, "disclosures")] == [
        "not named (on DVD)",
        "The Court (court@law)",
        "b (on DVD)",
    ]


def test_a_silent_source_qualifies_every_answer(hospital: Trail) -> None:
    made = report(hospital, "access", PatientIdentity("nobody"))
    assert made.rows == 0
    said = " ".join(made.qualifications)
    assert "Nothing was found. That means that no source told of it" in said
    assert "Silent in the whole period: lab-gate" in said
    assert "could not be read, whomever they name: 1." in said
    sources = {row["source"]: row for row in rows(made, "sources")}
    assert sources["lab-gate"]["records"] == "0"
    assert "SILENT" in sources["lab-gate"]["remark"]
    assert sources["viewer-3"]["records"] == "6"
    assert "silent for 3 days" in sources["viewer-3"]["remark"]


def test_what_is_not_searchable_yet_is_said(hospital: Trail) -> None:
    hospital.take(b"<85>1 - host app - - - late")
    said = report(hospital, "access", ANN).qualifications
    assert "INCOMPLETE: journaled but not searchable yet: 1 newer records." in said


def test_a_clock_that_is_off_is_named(trail: Trail) -> None:
    told = Hospital(trail)
    said = event("110103", event_date_time=h.when(5))
    told.tell(7, message(said, (h.VERA,), h.patients(h.ANN), "late-1"))
    trail.follow()
    (source,) = rows(report(trail, "access", ANN), "sources")
    assert (source["clock"], "off by about 7200 s" in source["remark"]) == ("+7200.0 s", True)


def test_repeats_are_left_out_and_said(hospital: Trail) -> None:
    said = report(hospital, "access", ANN).qualifications
    assert "Byte-identical re-deliveries, not counted: 1." in said


def test_many_patients_at_once(hospital: Trail) -> None:
    made = report(hospital, "patients", ANN, BOB)
    users = {row["who"]: (row["patients"], row["times"]) for row in rows(made, "users")}
    assert users["Dr. Vera Klein (vera@hospital)"] == ("2", "8")
    assert users["Nils Arndt (nils@hospital)"] == ("2", "2")
    assert [row["patient"] for row in rows(made, "patients")] == [
        f"P1 ({HOSPITAL})",
        f"P2 ({HOSPITAL})",
    ]


def test_what_a_user_did(hospital: Trail) -> None:
    made = report(hospital, "user", user="vera@hospital")
    first, *_ = sessions = rows(made, "sessions")
    assert (first["acts"], first["how"], first["patients"]) == ("3", "login to logout", "1")
    assert sum(int(row["acts"]) for row in sessions) == len(rows(made, "acts")) == 10
    assert {row["patient"] for row in rows(made, "patients")} == {"P1", "P2"}
    assert {row["hour"] for row in rows(made, "hours")} >= {"08", "09", "10", "11"}


def test_a_study_across_nodes(trail: Trail) -> None:
    told = Hospital(trail)
    pair = (h.system("CT1", SOURCE), h.system("PACS", DESTINATION))
    told.event(1, "110104", pair, (study(), *h.patients(h.ANN)), node="ct-1")
    told.event(1.1, "110104", pair, (study(), *h.patients(h.ANN)), node="pacs")
    away = (h.system("PACS", SOURCE), h.system("FAR", DESTINATION))
    told.event(2, "110104", away, (study(), *h.patients(h.ANN)), node="pacs")
    told.event(3, "110103", (h.VERA,), (study(), *h.patients(h.ANN)))
    trail.follow()
    made = report(trail, "study", study=STUDY)
    assert [row["node"] for row in rows(made, "nodes")] == ["ct-1", "pacs", "viewer-3"]
    ways = [(row["from"], row["to"], row["remark"]) for row in rows(made, "transfers")]
    assert ways == [("ct1", "pacs", ""), ("pacs", "far", "told by one end only")]
    assert len(rows(made, "events")) == 4


def test_review_of_system_activity_and_its_sign_off(hospital: Trail) -> None:
    made = report(hospital, "activity", reason="weekly review")
    matrix = {row["category"]: row for row in rows(made, "categories")}
    assert matrix["export"]["serious"] == "1"
    assert matrix["authentication"]["success"] == "2"
    assert made.record is not None
    signed = SignOff(
        start=MONDAY, end=NEXT_MONDAY, record=made.record, statement="Looked at; nothing to do."
    )
    name = service(hospital).sign_off(MARA, signed)
    hospital.follow()
    (again,) = rows(report(hospital, "activity"), "sign_offs")
    assert again["record"] == name
    assert again["who"] == "Mara Voss (mvoss@example.org)"
    assert again["statement"] == "Looked at; nothing to do."
    assert again["period"] == "2026-05-25T00:00:00Z to 2026-06-01T00:00:00Z"


def test_what_cannot_be_signed(hospital: Trail) -> None:
    record = report(hospital, "activity").record or ""
    good = SignOff(start=MONDAY, end=NEXT_MONDAY, record=record, statement="ok")
    for wrong in (
        replace(good, statement="  "),
        replace(good, statement="x" * 1001),
        replace(good, end=MONDAY),
        replace(good, record="99999"),
        replace(good, record="3"),
        replace(good, record="nonsense"),
    ):
        with pytest.raises((RequestError, NotFound)):
            service(hospital).sign_off(MARA, wrong)
    with pytest.raises(Denied):
        service(hospital).sign_off(NOBODY, good)
    hospital.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        service(hospital).sign_off(MARA, good)


def test_conformance_of_the_senders(hospital: Trail) -> None:
    made = report(hospital, "senders")
    assert "viewer-3" in [row["sender"] for row in rows(made, "senders")]
    assert {"rule", "fix", "clause"} <= set(rows(made, "rules")[0])


def test_every_report_is_journaled_before_it_is_given(hospital: Trail) -> None:
    made = report(hospital, "access", ANN, reason="complaint 12")
    (told,) = [one for one in hospital.details() if "report" in one]
    assert told["patients shown"] == "1"
    assert told["report"] == "access"
    assert told["patient"] == f"P1 ({HOSPITAL})"
    assert (told["reason"], told["rows"]) == ("complaint 12", str(made.rows))
    hospital.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        report(hospital, "access", ANN)


def test_who_may_ask(hospital: Trail) -> None:
    asked = ReportAsked(kind="access", start=MONDAY, end=NEXT_MONDAY, patients=(ANN,))
    for lacking in (Scope.REPORTS_READ, Scope.PATIENTS_IDENTIFY):
        asker = replace(MARA, scopes=MARA.scopes - {lacking})
        with pytest.raises(Denied, match=lacking):
            service(hospital).make(asker, asked)
    asker = replace(MARA, scopes=MARA.scopes - {Scope.PATIENTS_IDENTIFY})
    by_user = replace(asked, kind="user", user="vera@hospital", patients=())
    told = text(service(hospital).make(asker, by_user))
    assert '"P1"' not in told


def test_questions_that_make_no_sense(hospital: Trail) -> None:
    good = ReportAsked(kind="access", start=MONDAY, end=NEXT_MONDAY, patients=(ANN,))
    wrong = [
        replace(good, end=MONDAY),
        replace(good, end=MONDAY + 4000 * DAY),
        replace(good, patients=()),
        replace(good, patients=(ANN,) * 201),
        replace(good, kind="user"),
        replace(good, kind="study"),
    ]
    for one in wrong:
        with pytest.raises(RequestError):
            service(hospital).make(MARA, one)
    assert {title_of(kind) for kind in KINDS}


def test_a_report_that_is_cut_says_so(hospital: Trail) -> None:
    asked = ReportAsked(kind="access", start=MONDAY, end=NEXT_MONDAY, patients=(ANN,))
    made = service(hospital, records=3, documents=1, sources=2).make(MARA, asked)
    assert made.partial
    said = " ".join(made.qualifications)
    assert "INCOMPLETE: too many records of the patient" in said
    assert "Only the 2 busiest sources" in said
    assert [row["time"][:13] for row in rows(made, "accesses")][-1] == "2026-05-28T12"


def test_no_report_without_the_index(hospital: Trail) -> None:
    hospital.index.fault = IndexUnavailable("gone")
    with pytest.raises(IndexUnavailable):
        report(hospital, "access", ANN)
