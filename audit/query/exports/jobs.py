"""ExportJobs: exports that are made into files in the background and fetched later.

Jobs are kept in a folder and outlive the process: what was done stays, what was being made begins
anew when its owner asks for it, so that it runs with the rights that the owner has by then.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from threading import Lock
from time import time_ns
from typing import Any

import structlog

from audit.errors import AuditError, NotFound, RequestError, StorageError
from audit.query.exports.job import ExportJob, JobFolder
from audit.query.exports.record_export import ExportOrder, RecordExport

_PRIVATE = 0o600
_NS_PER_H = 3_600_000_000_000

log = structlog.get_logger()


class JobNotDone(RequestError):
    """The job has no content yet, or never will; its state says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJobOptions:
    """Bounds of jobs.

    Attributes:
        folder: where they are kept, for this user alone.
        kept_h: how long a job is kept after it was asked for, hours.
        most_running: jobs that run at once; the others wait.
        most_per_owner: jobs that one owner may have.
        most_octets: of all contents together; a job that would go beyond fails.
        clock: UTC nanoseconds.
    """

    folder: Path
    kept_h: float = 24.0
    most_running: int = 2
    most_per_owner: int = 10
    most_octets: int = 20 * 1024**3
    clock: Callable[[], int] = time_ns


class ExportJobs:
    """The jobs of one web process. Safe to use from several threads; close it when done."""

    def __init__(self, options: ExportJobOptions) -> None:
        self._options = options
        self._lock = Lock()
        self._jobs: dict[str, ExportJob] = {}
        self._stopping = False
        self._pool = ThreadPoolExecutor(options.most_running, thread_name_prefix="export")
        self._take_up()

    def close(self) -> None:
        """Stop what runs; it is interrupted, and journaled as cut short."""
        self._stopping = True
        self._pool.shutdown(wait=True)

    def submit(
        self, owner: str, query: str, order: ExportOrder, make: Callable[[], RecordExport]
    ) -> ExportJob:
        """A new job.

        Args:
            owner: who asks.
            query: which records, for the eye.
            order: how.
            make: makes the export; its beginning is journaled before this returns.

        Raises:
            RequestError: the owner has too many jobs.
            StorageError: the folder can't be written.
            AuditError: whatever ``make`` raises.
        """
        self.forget_expired()
        if len(self.of(owner)) >= self._options.most_per_owner:
            most = self._options.most_per_owner
            raise RequestError(f"there are {most} exports of yours already; delete one first")
        export = make()
        try:
            now = self._options.clock()
            expires = now + round(self._options.kept_h * _NS_PER_H)
            job = ExportJob(
                id=token_hex(16),
                owner=owner,
                form=export.form,
                query=query,
                order=order,
                created_at=now,
                expires_at=expires,
            )
            JobFolder.made(self._options.folder, job.id)
            self._keep(job)
        except OSError as error:
            export.close()
            raise StorageError(f"the export can't be kept: {error.strerror}") from error
        self._pool.submit(self._run, job.id, export)
        return job

    def find(self, owner: str, job_id: str) -> ExportJob:
        """A job of that owner; raises NotFound for another's as for none."""
        job = self._jobs.get(job_id)
        if job is None or job.owner != owner or job.expires_at <= self._options.clock():
            raise NotFound("this export is not known: it has expired, or it is not yours")
        return job

    def of(self, owner: str) -> tuple[ExportJob, ...]:
        """The owner's jobs, newest first."""
        now = self._options.clock()
        mine = [job for job in self._all() if job.owner == owner and job.expires_at > now]
        return tuple(sorted(mine, key=lambda job: job.created_at, reverse=True))

    def resume(self, job: ExportJob, make: Callable[[], RecordExport]) -> ExportJob:
        """Begin an interrupted job anew; any other is left as it is. Raises as ``make`` does."""
        if job.state != "interrupted":
            return job
        export = make()
        with self._lock:
            taken = self._jobs.get(job.id, job).state != "interrupted"
            if not taken:
                self._jobs[job.id] = replace(job, state="waiting", count=0, octets=0)
        if taken:
            export.close()
        else:
            self._pool.submit(self._run, job.id, export)
        return self._jobs.get(job.id, job)

    def content(self, job: ExportJob) -> Path:
        """The file; raises JobNotDone while there is none."""
        if job.state != "done":
            raise JobNotDone(f"the export is {job.state}" + (job.error and f": {job.error}"))
        return self._folder(job.id).content

    def delete(self, job: ExportJob) -> None:
        """Forget the job; one that runs is cut short."""
        with self._lock:
            self._jobs.pop(job.id, None)
        with suppress(OSError):
            self._folder(job.id).remove()

    def forget_expired(self) -> int:
        """Forget what is kept long enough; how many these were."""
        now = self._options.clock()
        old = [job for job in self._all() if job.expires_at <= now]
        for job in old:
            self.delete(job)
        return len(old)

    def _all(self) -> list[ExportJob]:
        with self._lock:
            return list(self._jobs.values())

    def _folder(self, job_id: str) -> JobFolder:
        return JobFolder(self._options.folder / job_id)

    def _take_up(self) -> None:
        """Know the jobs of earlier processes."""
        folder = self._options.folder
        for path in folder.iterdir() if folder.is_dir() else ():
            kept = JobFolder(path)
            job = kept.read()
            with suppress(OSError):
                kept.unfinished.unlink(missing_ok=True)
                if job is None or job.id != path.name:
                    kept.remove()
                else:
                    # A power cut may have kept the news that it is done, and not the content.
                    is_lost = job.is_open or (job.state == "done" and not kept.content.exists())
                    lost = replace(job, state="interrupted", sha256="")
                    self._jobs[job.id] = lost if is_lost else job

    def _keep(self, job: ExportJob) -> None:
        with self._lock:
            self._jobs[job.id] = job
        self._folder(job.id).write(job)

    def _update(self, job_id: str, *, write: bool = False, **changes: Any) -> bool:
        """Change how a job stands; False when it was deleted."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return False
            job = replace(job, **changes)
            self._jobs[job_id] = job
        if write:
            self._folder(job_id).write(job)
        return True

    def _run(self, job_id: str, export: RecordExport) -> None:
        try:
            digest = self._write(job_id, export)
            if digest is not None:
                self._update(job_id, write=True, state="done", sha256=digest)
        except (AuditError, OSError) as error:
            log.warning("an export failed", job=job_id, reason=str(error))
            self._ended(job_id, state="failed", error=str(error))
        finally:
            job = self._jobs.get(job_id)
            if job is not None and job.is_open:
                self._ended(job_id, state="failed", error="a fault of this server")
            with suppress(AuditError):
                export.close()

    def _write(self, job_id: str, export: RecordExport) -> str | None:
        """Make the content; its SHA-256, or None when the job was deleted or we are to stop."""
        if self._stopping or not self._update(job_id, state="running"):
            return None
        folder = self._folder(job_id)
        digest, octets = sha256(), 0
        file = os.open(folder.unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(file, "wb") as written:
            for chunk in export.chunks():
                octets += len(chunk)
                going_on = self._update(job_id, count=export.count, octets=octets)
                if not going_on or self._stopping:
                    self._ended(job_id, state="interrupted")
                    return None
                self._require_room()
                digest.update(chunk)
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
        folder.unfinished.replace(folder.content)
        return digest.hexdigest()

    def _require_room(self) -> None:
        if sum(job.octets for job in self._all()) > self._options.most_octets:
            most = self._options.most_octets
            raise StorageError(f"all exports together would be larger than {most} octets")

    def _ended(self, job_id: str, **changes: Any) -> None:
        """Note an end without content."""
        with suppress(OSError):
            self._folder(job_id).unfinished.unlink(missing_ok=True)
            self._update(job_id, write=True, octets=0, **changes)
