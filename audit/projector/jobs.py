"""Jobs: entries with all that projecting them needs, so that any process can do it."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.index.document import IndexedRecord
from audit.journal.entry import Entry
from audit.projector.options import ProjectionOptions
from audit.projector.project import project, project_failure


@dataclass(frozen=True, slots=True)
class Job:
    """One entry to project.

    Attributes:
        entry: of kind MESSAGE or TRUNCATED.
        subject: of the peer's certificate; empty when unknown.
        repeat_of: id of the record that it repeats; empty when it repeats none.
    """

    entry: Entry
    subject: str = ""
    repeat_of: str = ""


@dataclass(frozen=True, slots=True)
class Projected:
    """A record, and the name of the error that it stands for; empty when all went well."""

    record: IndexedRecord
    error: str = ""


def run_jobs(jobs: Sequence[Job], origin: str, options: ProjectionOptions) -> list[Projected]:
    """Project every job, in order. A fault of ours gives a record that says so; never raises."""
    return [_run(job, origin, options) for job in jobs]


def failed_job(job: Job, origin: str, error: Exception) -> Projected:
    """What stands for a job that can't be done."""
    return Projected(project_failure(job.entry, origin, error), type(error).__name__)


def _run(job: Job, origin: str, options: ProjectionOptions) -> Projected:
    def subject_of(_digest: bytes) -> str:
        return job.subject

    try:
        record = project(job.entry, origin, subject_of, options=options, repeat_of=job.repeat_of)
    except Exception as error:  # noqa: BLE001 - one odd message must never stop all others
        return failed_job(job, origin, error)
    return Projected(record)
