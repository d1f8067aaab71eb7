"""``arr report disclosures|access|patients|user|study|activity|sign-off``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audit.cli.export import written
from audit.cli.options import data_option, examples, print_json
from audit.cli.reaching import reached
from audit.cli.remote import remote_options

if TYPE_CHECKING:
    from audit.query.reports.report import Kind
    from audit.query.reports.report_file import FileForm
    from audit.query.reports.service import ReportService
    from audit.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("text", "json", "csv", "pdf")


def common_options(command: F) -> F:
    """Where, which period, why, in which form, to which file."""
    for option in (
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File to write, readable by its owner alone.",
        ),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            default="text",
            show_default=True,
            help="pdf needs -o, or a pipe.",
        ),
        click.option("--reason", default="", help="Why; recorded, and part of the report."),
        click.option("--to", "end", help="End of the period; by default now."),
        click.option("--from", "start", help="Begin: 2026-05-01 or 2026-05-01T08:00:00+02:00."),
        remote_options,
        data_option,
    ):
        command = option(command)
    return command


def patient_option(meaning: str) -> Callable[[F], F]:
    """``--patient``, several times."""
    return click.option("--patient", "patients", multiple=True, required=True, help=meaning)


_SAME = "ID, or HL7 CX 'ID^^^NAME&OID&ISO'; once for each identifier of the same patient."


@click.command(
    epilog=examples(
        "arr report disclosures --patient P48003",
        "arr report disclosures --patient P48003 --format pdf -o accounting.pdf",
    )
)
@common_options
@patient_option(_SAME)
def disclosures(patients: tuple[str, ...], **given: Any) -> None:
    """Account for disclosures of a patient's data (45 CFR 164.528), six years back.

    With a log of what was left out, and by which paragraph.
    """
    _make("disclosures", given, patients=_patients(patients))


@click.command(
    epilog=examples(
        "arr report access --patient P48003 --from 2026-01-01",
        "arr report access --patient P48003 --patient 'X9^^^&2.999.2&ISO' --for-patient "
        "--format pdf -o access.pdf",
    )
)
@common_options
@patient_option(_SAME)
@click.option("--for-patient", is_flag=True, help="Staff are numbered, not named (GDPR Art. 15).")
@click.option("--reveal", is_flag=True, help="Name them after all; needs --reason.")
def access(patients: tuple[str, ...], for_patient: bool, reveal: bool, **given: Any) -> None:
    """Tell who accessed a patient's records."""
    asked = {"pseudonymised": for_patient or reveal, "revealed": reveal}
    _make("access", given, patients=_patients(patients), **asked)


@click.command(epilog=examples("arr report patients --patient P1 --patient P2 --json"))
@common_options
@patient_option("One patient; several times.")
def patients(patients: tuple[str, ...], **given: Any) -> None:
    """Tell who accessed the records of several patients."""
    _make("patients", given, patients=_patients(patients))


@click.command(epilog=examples("arr report user jdoe --from 2026-05-01 --format csv -o jdoe.csv"))
@click.argument("user_id")
@common_options
def user(user_id: str, **given: Any) -> None:
    """Tell what a person or program did: sessions, hours, patients, every act."""
    _make("user", given, user=user_id)


@click.command(epilog=examples("arr report study 1.2.840.99.7 --from 2026-01-01"))
@click.argument("study_uid")
@common_options
def study(study_uid: str, **given: Any) -> None:
    """Follow a study across nodes, and say which transfers only one end told of."""
    _make("study", given, study=study_uid)


@click.command(
    epilog=examples(
        "arr report activity --from 2026-05-01 --to 2026-06-01 --format pdf -o may.pdf"
    )
)
@common_options
def activity(**given: Any) -> None:
    """Review system activity of a period; sign it off with arr report sign-off."""
    _make("activity", given)


@click.command(
    "sign-off",
    epilog=examples(
        "arr report sign-off k3f9x2ab-1042 --from 2026-05-01 --to 2026-06-01 "
        "--statement 'Reviewed; two alerts followed up.'"
    ),
)
@click.argument("record")
@data_option
@remote_options
@click.option("--from", "start", required=True, help="Begin of the period reviewed.")
@click.option("--to", "end", required=True, help="Its end.")
@click.option("--statement", required=True, help="What was found, and what is done about it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sign_off(
    record: str,
    data: Path | None,
    config_file: Path | None,
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    start: str,
    end: str,
    statement: str,
    as_json: bool,
) -> None:
    """Sign a review off. RECORD is what the report calls "recorded as".

    The sign-off is a record of the journal, and named in later reviews of the period.
    """
    from audit.client import RepositoryClient

    period = {"from": _time(start), "to": _time(end)}
    with reached(url, token_file, ca_file, data, config_file) as repository:
        if isinstance(repository, RepositoryClient):
            made = repository.sign_off(period | {"record": record, "statement": statement})
        else:
            made = _signed_here(repository, period, record, statement)
    if as_json:
        print_json({"record": made})
    else:
        click.echo(f"signed off as {made}")


def _signed_here(settings: "Settings", period: dict[str, str], record: str, statement: str) -> str:
    from audit.query.reports.period import period_of
    from audit.query.reports.service import SignOff
    from audit.service.operator import operator_principal

    with _reporting(settings) as reports:
        start, end = period_of("activity", period["from"], period["to"], reports.now())
        signed = SignOff(start=start, end=end, record=record, statement=statement)
        return reports.sign_off(operator_principal(), signed)


def _make(kind: "Kind", given: dict[str, Any], **about: Any) -> None:
    from audit.client import RepositoryClient

    form: FileForm = "json" if given["as_json"] else given["form"]
    if form == "pdf" and given["output"] is None and sys.stdout.isatty():
        raise click.UsageError("a PDF goes to a file: give -o")
    asked = about | {"reason": given["reason"]}
    asked |= {
        name: _time(given[key]) for name, key in (("from", "start"), ("to", "end")) if given[key]
    }
    where = (given[key] for key in ("url", "token_file", "ca_file", "data", "config_file"))
    with reached(*where) as repository:
        if isinstance(repository, RepositoryClient):
            octets = _made_there(repository, kind, asked, form)
        else:
            octets = _made_here(repository, kind, asked, form)
    with written(given["output"]) as out:
        out.write(octets)


def _made_there(repository: Any, kind: "Kind", asked: dict[str, Any], form: "FileForm") -> bytes:
    import json

    from audit.query.reports.text_form import text_of

    if form != "text":
        octets: bytes = repository.report(kind, asked | {"format": form})
        return octets + b"\n" if form == "json" else octets
    return text_of(json.loads(repository.report(kind, asked))).encode()


def _made_here(
    settings: "Settings", kind: "Kind", asked: dict[str, Any], form: "FileForm"
) -> bytes:
    from audit.query.reports.asked import PatientIdentity, ReportAsked
    from audit.query.reports.period import period_of
    from audit.query.reports.report_file import file_of
    from audit.service.operator import operator_principal

    period = asked.pop("from", None), asked.pop("to", None)
    asked["patients"] = tuple(PatientIdentity(**one) for one in asked.pop("patients", ()))
    with _reporting(settings) as reports:
        start, end = period_of(kind, *period, reports.now())
        whole = ReportAsked(kind=kind, start=start, end=end, **asked)
        return file_of(reports.make(operator_principal(), whole), form).octets


@contextmanager
def _reporting(settings: "Settings") -> Iterator["ReportService"]:
    from audit.query.reports.service import ReportService
    from audit.service.operator import searching
    from audit.service.paths import DataPaths
    from audit.service.reports import report_options
    from audit.service.web import state_url
    from audit.state.store import StateStore

    paths, options = DataPaths(settings.data), report_options(settings)
    with searching(settings) as service:
        if not paths.state.exists():
            yield ReportService(service.trail, options)
            return
        with StateStore(state_url(paths)) as state:
            yield ReportService(service.trail, options, state.aliases)


def _time(text: str) -> str:
    """A day is taken as its beginning in UTC."""
    return text if "T" in text else f"{text}T00:00:00Z"


def _patients(given: tuple[str, ...]) -> list[dict[str, str]]:
    from audit.query.reports.asked import PatientIdentity

    found = map(PatientIdentity.parse, given)
    return [{"identifier": one.identifier, "assigner": one.assigner} for one in found]


REPORTS = (disclosures, access, patients, user, study, activity, sign_off)
