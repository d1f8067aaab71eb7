"""ReportFile: a report in the form that somebody takes away."""

from dataclasses import dataclass
from typing import Literal

import orjson

from audit.query.reports import csv_form
from audit.query.reports.report import Report
from audit.query.reports.text_form import text_of

FileForm = Literal["json", "csv", "pdf", "text"]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """Octets, and how they are to be named; the name tells of nobody."""

    name: str
    media_type: str
    octets: bytes


def file_of(report: Report, form: FileForm) -> ReportFile:
    """The report in that form, named by its kind and by the record that it was made."""
    name = f"{report.kind}-{report.record}"
    if form == "pdf":
        from audit.query.reports.pdf_form import MEDIA_TYPE, pdf_of

        return ReportFile(f"{name}.pdf", MEDIA_TYPE, pdf_of(report))
    if form == "csv":
        return ReportFile(f"{name}.csv", csv_form.MEDIA_TYPE, b"".join(csv_form.csv_of(report)))
    if form == "json":
        octets = orjson.dumps(report.as_dict()) + b"\n"
        return ReportFile(f"{name}.json", "application/json", octets)
    text = text_of(report.as_dict()).encode()
    return ReportFile(f"{name}.txt", "text/plain; charset=utf-8", text)
