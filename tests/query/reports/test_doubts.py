"""What somebody who distrusts a report would try to find wrong with it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from audit.errors import NotFound, RequestError
from audit.index.criteria import Range, Term
from audit.index.port import Page
from audit.query.access import READ_SCOPES, Principal
from audit.query.reports.asked import PatientIdentity, ReportAsked
from audit.query.reports.period import period_of
from audit.query.reports.report import Report
from audit.query.reports.service import ReportService, SignOff
from audit.record.times import format_ns
from tests.projector.messages import (
    DESTINATION,
    NOW,
    SOURCE,
    event,
    message,
    patient,
    study,
)
from tests.query.reports import hospital as h
from tests.query.reports.hospital import CLINIC, DAY, HOSPITAL, MONDAY, NEXT_MONDAY, Hospital
from tests.query.reports.test_reports import report, rows, service
from tests.query.trail import MARA, NOBODY, Trail

ANN = PatientIdentity("P1", HOSPITAL)
ALL = Principal("all", scopes=frozenset(READ_SCOPES))


@pytest.fixture
def hospital(trail: Trail) -> Trail:
    Hospital(trail).week()
    return trail


def _signed(made: Report, **changes: Any) -> SignOff:
    given: dict[str, Any] = {"start": made.start, "end": made.end, "record": made.record or ""}
    return SignOff(**(given | {"statement": "Looked at."} | changes))


def test_a_sign_off_is_of_no_more_than_was_reviewed(hospital: Trail) -> None:
    made = report(hospital, "activity")
    within = _signed(made, start=MONDAY + DAY, end=MONDAY + 2 * DAY)
    assert service(hospital).sign_off(MARA, within)
    for more in ({"start": MONDAY - 1}, {"end": NEXT_MONDAY + 1}):
        with pytest.raises(RequestError, match="2026-05-25T00:00:00Z to 2026-06-01T00:00:00Z"):
            service(hospital).sign_off(MARA, _signed(made, **more))


def test_a_review_that_was_refused_cannot_be_signed(hospital: Trail) -> None:
    made = report(hospital, "activity")
    asked = ReportAsked(kind="activity", start=MONDAY, end=NEXT_MONDAY)
    with pytest.raises(Exception, match="may not"):
        service(hospital).make(NOBODY, asked)
    refused = hospital.reader.durable_count() - 1
    with pytest.raises(NotFound):
        service(hospital).sign_off(
            MARA, _signed(made, record=f"{hospital.reader.origin}-{refused}")
        )


def test_a_report_of_some_rows_says_that_it_is(hospital: Trail) -> None:
    asked = ReportAsked(kind="activity", start=MONDAY, end=NEXT_MONDAY)
    reports = ReportService(hospital.service().trail)
    some = reports.make(replace(ALL, rows=Range("sequence", 0, 5)), asked)
    said = "INCOMPLETE: only the records that its asker may see were looked at."
    assert said in some.qualifications
    assert said not in reports.make(ALL, asked).qualifications


def test_the_time_before_a_source_was_heard_of_is_not_vouched_for(hospital: Trail) -> None:
    reports = ReportService(hospital.service().trail)

    def unknown_before(start: int) -> set[str]:
        asked = ReportAsked(kind="activity", start=start, end=NEXT_MONDAY)
        made = reports.make(ALL, asked)
        (said,) = [one for one in made.qualifications if "first heard of: " in one]
        assert not any("every day, with" in one for one in made.qualifications)
        remarked = {
            row["source"] for row in rows(made, "sources") if "not heard of" in row["remark"]
        }
        named = said.partition("heard of: ")[2].split(", ")
        assert {one.partition(" (")[0] for one in named} == remarked
        return remarked

    assert unknown_before(MONDAY) == {"registry", "xds"}, "they sent from the middle of the week"
    assert unknown_before(MONDAY - 20 * DAY) > {"registry", "xds"}


def test_a_wrong_clock_makes_no_source_known_earlier(hospital: Trail) -> None:
    told = Hospital(hospital)
    said = event("110103", event_date_time=h.when(-40 * 24))
    told.tell(60, message(said, (h.VERA,), h.patients(h.ANN), "slow-clock"))
    hospital.follow()
    rows_of = rows(report(hospital, "activity"), "sources")
    (row,) = [row for row in rows_of if row["source"] == "slow-clock"]
    assert f"not heard of before {row['first']}" in row["remark"]


def test_a_namesake_by_number_in_the_same_event_is_another_patient(trail: Trail) -> None:
    told = Hospital(trail)
    both = (*h.patients(h.ANN), patient(f"P1^^^&{CLINIC}&ISO", "Namesake^Nora"))
    told.event(1, "110103", (h.VERA,), (study(participant_object_name="Nora's knee"), *both))
    trail.follow()
    made = report(trail, "access", ANN)
    assert "Nora" not in json.dumps(made.as_dict())
    assert rows(made, "accesses")[0]["data"].startswith("not told")


def test_what_went_wrong_in_small_parts_was_disclosed(trail: Trail) -> None:
    told = Hospital(trail)
    for hours, outcome in enumerate(("0", "4", "8", "12", "")):
        told.event(
            hours,
            "110106",
            (h.system("A", SOURCE), h.system(f"B{hours}", DESTINATION)),
            h.patients(h.ANN),
            event_outcome_indicator=outcome,
        )
    trail.follow()
    made = report(trail, "disclosures", ANN)
    assert [row["recipient"] for row in rows(made, "disclosures")] == ["b0", "b1", "b4"]
    assert [row["why"] for row in rows(made, "left_out")] == [
        "it did not succeed: serious failure",
        "it did not succeed: major failure",
    ]


def test_the_matrix_of_activity_counts_every_event(hospital: Trail) -> None:
    made = report(hospital, "activity")
    (other,) = [row for row in rows(made, "categories") if row["untold"] != "0"]
    assert other["untold"] == "1"  # the one that can't be read
    counted = sum(
        int(value)
        for row in rows(made, "categories")
        for name, value in row.items()
        if name != "category"
    )
    period = Range("time", MONDAY, NEXT_MONDAY)
    repeats = hospital.index.count(Term("repeat_of", "")).value
    assert counted >= hospital.index.count(period).value - repeats - 1


def test_a_report_up_to_now_ends_no_later_than_it_was_made(hospital: Trail) -> None:
    hospital.now += 123_456_789
    reports = service(hospital)
    start, end = period_of("activity", None, None, reports.now())
    made = reports.make(MARA, ReportAsked(kind="activity", start=start, end=end))
    assert made.end <= made.made_at == hospital.now
    assert dict(made.facts)["Made"].startswith(format_ns(made.made_at))


def test_times_over_the_change_of_clocks_are_those_that_were_meant() -> None:
    """A day of 23 hours and one of 25, in Central Europe."""
    for first, last, hours in (
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25),
    ):
        start, end = period_of("activity", first, last, NOW)
        assert end - start == hours * h.HOUR


def test_a_source_whose_records_are_removed_meanwhile(
    hospital: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the count of its records and the look at the oldest one."""
    search = hospital.index.search

    def emptied(criteria: Any, **how: Any) -> Page:
        page = search(criteria, **how)
        return replace(page, records=()) if how.get("newest_first") is False else page

    monkeypatch.setattr(hospital.index, "search", emptied)
    made = report(hospital, "access", ANN)
    assert "viewer-3" in [row["source"] for row in rows(made, "sources")]
