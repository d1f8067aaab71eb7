"""Jobs: made in the background, bounded, kept over a restart, their owner's alone."""

from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from threading import Event

import orjson
import pytest

from audit.errors import IndexUnavailable, NotFound, RequestError, StorageError
from audit.query.export_forms import ExportMaker
from audit.query.exports.job import ExportJob
from audit.query.exports.jobs import ExportJobOptions, ExportJobs, JobNotDone
from audit.query.exports.record_export import ExportOrder, Form, RecordExport
from tests.projector.messages import NOW, SECOND
from tests.query.trail import MARA, Trail
from tests.waiting import until

ORDER = ExportOrder(reason="case 7", oldest_first=True)
ME = "api-token:1"


class Desk:
    """Jobs on a small trail; ``hold`` makes exports wait after their first piece."""

    def __init__(self, trail: Trail, folder: Path) -> None:
        self.trail = trail
        self.folder = folder
        self.maker = ExportMaker(trail.service(export_page=2).trail)
        self.go_on = Event()
        self.go_on.set()
        self.opened: list[ExportJobs] = []

    def jobs(self, **changes: object) -> ExportJobs:
        given = {"folder": self.folder, "clock": lambda: self.trail.now} | changes
        self.opened.append(ExportJobs(ExportJobOptions(**given)))  # type: ignore[arg-type]
        return self.opened[-1]

    def make(self, form: Form = "ndjson") -> Callable[[], RecordExport]:
        def made() -> RecordExport:
            export = self.maker.make(MARA, form, "number", ORDER)
            whole = export.chunks

            def held() -> Iterator[bytes]:
                for chunk in whole():
                    yield chunk
                    self.go_on.wait(20)

            export.chunks = held  # type: ignore[method-assign]
            return export

        return made

    def done(self, jobs: ExportJobs, job: ExportJob) -> ExportJob:
        until(lambda: not jobs.find(ME, job.id).is_open)
        return jobs.find(ME, job.id)


@pytest.fixture
def desk(trail: Trail, tmp_path: Path) -> Iterator[Desk]:
    for n in range(7):
        trail.take(f"<85>1 - host app - - - number {n}".encode(), at=NOW + n * SECOND)
    trail.follow()
    made = Desk(trail, tmp_path / "exports")
    yield made
    made.go_on.set()
    for jobs in made.opened:
        jobs.close()


def test_a_job_is_made_and_fetched(desk: Desk) -> None:
    jobs = desk.jobs()
    job = desk.done(jobs, jobs.submit(ME, "number", ORDER, desk.make()))
    assert (job.state, job.count) == ("done", 7)
    content = jobs.content(job).read_bytes()
    assert (sha256(content).hexdigest(), len(content)) == (job.sha256, job.octets)
    assert orjson.loads(content.splitlines()[-1])["_trailer"]["count"] == 7
    assert jobs.content(job).stat().st_mode & 0o077 == 0
    assert desk.folder.stat().st_mode & 0o077 == 0
    assert [one["export"] for one in desk.trail.details()] == ["begun", "ended"]


def test_others_know_nothing_of_it(desk: Desk) -> None:
    jobs = desk.jobs()
    job = jobs.submit(ME, "number", ORDER, desk.make())
    with pytest.raises(NotFound):
        jobs.find("api-token:2", job.id)
    assert jobs.of("api-token:2") == ()
    assert [one.id for one in jobs.of(ME)] == [job.id]


def test_what_was_done_outlives_the_process(desk: Desk) -> None:
    with closing(desk.jobs()) as jobs:
        job = desk.done(jobs, jobs.submit(ME, "number", ORDER, desk.make("csv")))
    again = desk.jobs().find(ME, job.id)
    assert again == job
    assert again.order == ORDER


def test_what_was_interrupted_begins_anew_when_asked_for(desk: Desk) -> None:
    jobs = desk.jobs()
    desk.go_on.clear()
    job = jobs.submit(ME, "number", ORDER, desk.make())
    until(lambda: jobs.find(ME, job.id).count > 0)
    with pytest.raises(JobNotDone, match="running"):
        jobs.content(jobs.find(ME, job.id))
    jobs._stopping = True
    desk.go_on.set()
    jobs.close()
    later = desk.jobs()
    assert later.find(ME, job.id).state == "interrupted"
    assert not list(desk.folder.rglob("content*"))
    again = later.resume(later.find(ME, job.id), desk.make())
    assert desk.done(later, again).count == 7
    assert later.resume(later.find(ME, job.id), desk.make()).state == "done"
    words = [one["export"] for one in desk.trail.details()]
    assert words == ["begun", "cut short", "begun", "ended"]


def test_a_process_that_was_killed_leaves_an_interrupted_job(desk: Desk) -> None:
    with closing(desk.jobs()) as jobs:
        job = desk.done(jobs, jobs.submit(ME, "number", ORDER, desk.make()))
    file = desk.folder / job.id / "job.json"
    file.write_bytes(file.read_bytes().replace(b'"done"', b'"running"'))
    (desk.folder / "remains").mkdir()
    (desk.folder / "remains" / "job.json").write_bytes(b"{")
    later = desk.jobs()
    assert later.find(ME, job.id).state == "interrupted"
    assert not (desk.folder / "remains").exists()


def test_what_was_done_but_is_not_there_begins_anew(desk: Desk) -> None:
    """As after a power cut, which may keep the one file and not the other."""
    with closing(desk.jobs()) as jobs:
        job = desk.done(jobs, jobs.submit(ME, "number", ORDER, desk.make()))
    (desk.folder / job.id / "content").unlink()
    later = desk.jobs()
    found = later.find(ME, job.id)
    assert (found.state, found.sha256) == ("interrupted", "")
    again = desk.done(later, later.resume(found, desk.make()))
    assert (again.state, again.sha256) == ("done", job.sha256)
    assert later.content(again).stat().st_size == job.octets


def test_a_job_in_a_folder_of_another_name_is_none(desk: Desk) -> None:
    with closing(desk.jobs()) as jobs:
        job = desk.done(jobs, jobs.submit(ME, "number", ORDER, desk.make()))
    (desk.folder / job.id).rename(desk.folder / ("0" * 32))
    with pytest.raises(NotFound):
        desk.jobs().find(ME, job.id)
    assert not list(desk.folder.iterdir())


def test_a_fault_of_the_index_fails_the_job(desk: Desk) -> None:
    jobs = desk.jobs()
    desk.trail.index.fault = IndexUnavailable("gone")
    make = desk.make()
    desk.trail.index.position = lambda: 99  # type: ignore[method-assign]
    job = desk.done(jobs, jobs.submit(ME, "number", ORDER, make))
    assert (job.state, job.error) == ("failed", "gone")
    with pytest.raises(JobNotDone, match="failed: gone"):
        jobs.content(job)


def test_so_does_a_fault_of_ours(desk: Desk) -> None:
    export = desk.make()()
    export.chunks = lambda: iter([None])  # type: ignore[method-assign,list-item]
    jobs = desk.jobs()
    job = desk.done(jobs, jobs.submit(ME, "number", ORDER, lambda: export))
    assert (job.state, job.error) == ("failed", "a fault of this server")


def test_the_disk_they_take_is_bounded(desk: Desk) -> None:
    jobs = desk.jobs(most_octets=1500)
    job = desk.done(jobs, jobs.submit(ME, "number", ORDER, desk.make()))
    assert job.state == "failed"
    assert "larger than 1500 octets" in job.error
    assert not list(desk.folder.rglob("content*"))


def test_so_is_their_number(desk: Desk) -> None:
    jobs = desk.jobs(most_per_owner=1)
    job = jobs.submit(ME, "number", ORDER, desk.make())
    with pytest.raises(RequestError, match="1 exports of yours"):
        jobs.submit(ME, "number", ORDER, desk.make())
    jobs.delete(job)
    jobs.submit(ME, "number", ORDER, desk.make())


def test_they_expire(desk: Desk) -> None:
    jobs = desk.jobs(kept_h=1)
    job = desk.done(jobs, jobs.submit(ME, "number", ORDER, desk.make()))
    desk.trail.now += 3600 * SECOND
    with pytest.raises(NotFound):
        jobs.find(ME, job.id)
    assert jobs.of(ME) == ()
    assert jobs.forget_expired() == 1
    assert list(desk.folder.iterdir()) == []


def test_a_deleted_job_is_cut_short(desk: Desk) -> None:
    jobs = desk.jobs()
    desk.go_on.clear()
    job = jobs.submit(ME, "number", ORDER, desk.make())
    until(lambda: jobs.find(ME, job.id).count > 0)
    jobs.delete(job)
    desk.go_on.set()
    until(lambda: len(desk.trail.appended) == 2)
    assert desk.trail.details()[1]["export"] == "cut short"
    until(lambda: list(desk.folder.iterdir()) == [])


def test_a_folder_that_cannot_be_written(desk: Desk) -> None:
    desk.folder.write_bytes(b"no folder")
    with pytest.raises(StorageError):
        desk.jobs().submit(ME, "number", ORDER, desk.make())
    assert desk.trail.details()[-1]["export"] == "cut short"


def test_bundles_need_a_reason_and_a_place(desk: Desk) -> None:
    with pytest.raises(RequestError, match="no evidence bundles"):
        desk.maker.make(MARA, "evidence", "", ORDER)
    maker = ExportMaker(desk.maker.trail, lambda: pytest.fail("not reached"))
    with pytest.raises(RequestError, match="needs a reason"):
        maker.make(MARA, "evidence", "", ExportOrder(reason=" "))
