"""Jobs: entries with all that projecting them needs, so that any process can do it.

Both ways between processes they go as flat rows of values: an object for each level costs more
than all that it holds.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, overload

from typing_extensions import override

from audit.index.document import IndexedRecord
from audit.index.port import Ready
from audit.journal.entry import Entry, Received
from audit.projector.options import ProjectionOptions
from audit.projector.project import project, project_failure

_Row = tuple[Callable[..., Any], tuple[object, ...]]


class Job(NamedTuple):
    """One entry to project.

    Attributes:
        entry: of kind MESSAGE or TRUNCATED.
        subject: of the peer's certificate; empty when unknown.
        repeat_of: id of the record that it repeats; empty when it repeats none.
    """

    entry: Entry
    subject: str = ""
    repeat_of: str = ""

    @override
    def __reduce__(self) -> _Row:
        entry = self.entry
        one = entry.received
        return _job, (
            *(entry.sequence, entry.salt, entry.removed_leaf, self.subject, self.repeat_of),
            *(one.raw, one.received_at, one.listener, one.peer, one.certificate_sha256, one.kind),
            *(one.original_length, one.flags, one.attributes),
        )


def _job(
    sequence: int, salt: bytes, removed_leaf: bytes, subject: str, repeat_of: str, *received: Any
) -> Job:
    return Job(Entry(sequence, salt, Received(*received), removed_leaf), subject, repeat_of)


Prepare: TypeAlias = Callable[[IndexedRecord], Ready]


R_co = TypeVar("R_co", bound=Ready, covariant=True)


class Projected(NamedTuple, Generic[R_co]):
    """A record, and the name of the error that it stands for; empty when all went well."""

    record: R_co
    error: str = ""

    @override
    def __reduce__(self) -> _Row:
        one = self.record
        if not isinstance(one, IndexedRecord):
            return Projected, (one, self.error)
        row = (one.id, one.sequence, one.time, one.received, one.fields, one.body)
        return _projected, (self.error, *row)


def _projected(error: str, *row: Any) -> Projected[IndexedRecord]:
    names = ("id", "sequence", "time", "received", "fields", "body")
    return Projected(IndexedRecord(**dict(zip(names, row, strict=True))), error)


@overload
def run_jobs(
    jobs: Sequence[Job], origin: str, options: ProjectionOptions, prepare: None = None
) -> list[Projected[IndexedRecord]]: ...
@overload
def run_jobs(
    jobs: Sequence[Job], origin: str, options: ProjectionOptions, prepare: Prepare | None
) -> Sequence[Projected[Ready]]: ...
def run_jobs(
    jobs: Sequence[Job], origin: str, options: ProjectionOptions, prepare: Prepare | None = None
) -> Sequence[Projected[Ready]]:
    """Project every job, in order, and make its record ready where that is asked for.

    A fault of ours gives a record that says so; never raises.
    """
    return [_run(job, origin, options, prepare) for job in jobs]


def failed_job(job: Job, origin: str, error: Exception) -> Projected[IndexedRecord]:
    """What stands for a job that can't be done."""
    return Projected(project_failure(job.entry, origin, error), type(error).__name__)


def _run(
    job: Job, origin: str, options: ProjectionOptions, prepare: Prepare | None
) -> Projected[Ready]:
    def subject_of(_digest: bytes) -> str:
        return job.subject

    try:
        record = project(job.entry, origin, subject_of, options=options, repeat_of=job.repeat_of)
        return Projected(record if prepare is None else prepare(record))
    except Exception as error:  # noqa: BLE001 - one odd message must never stop all others
        return failed_job(job, origin, error)
