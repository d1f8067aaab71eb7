"""ExportJob: one export that is made into a file, and how it stands."""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import orjson

from audit.query.exports.record_export import ExportOrder, Form
from audit.record.times import format_ns

State = Literal["waiting", "running", "interrupted", "done", "failed"]
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob:
    """One job.

    Attributes:
        id: 32 hexadecimal digits, random.
        owner: who asked for it; nobody else knows of it.
        form: what is made.
        query: which records.
        order: how.
        created_at: UTC nanoseconds.
        expires_at: when it is forgotten, UTC nanoseconds.
        state: waiting for a free place, running, interrupted (the process ended; it begins anew
            when its owner asks for it), done, or failed.
        count: records so far.
        octets: of the content so far.
        sha256: of the whole content, in hexadecimal; empty until it is done.
        error: why it failed; else empty.
    """

    id: str
    owner: str
    form: Form
    query: str
    order: ExportOrder
    created_at: int
    expires_at: int
    state: State = "waiting"
    count: int = 0
    octets: int = 0
    sha256: str = ""
    error: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something is still to come without anybody's doing."""
        return self.state in {"waiting", "running"}

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that the API gives; the owner knows who it is."""
        return {
            "id": self.id,
            "format": self.form,
            "query": self.query,
            "reason": self.order.reason,
            "include_repeats": self.order.include_repeats,
            "identities": self.order.by_all_names,
            "sort": "oldest" if self.order.oldest_first else "newest",
            "state": self.state,
            "count": self.count,
            "octets": self.octets,
            "sha256": self.sha256,
            "error": self.error,
            "created_at": format_ns(self.created_at),
            "expires_at": format_ns(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The files of one job."""

    path: Path

    @property
    def content(self) -> Path:
        """What was made; there only when it is whole."""
        return self.path / "content"

    @property
    def unfinished(self) -> Path:
        """What is being made."""
        return self.path / "content.part"

    def write(self, job: ExportJob) -> None:
        """Keep how the job stands; raises OSError."""
        fresh = self.path / "job.json.new"
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(file, "wb") as written:
            written.write(orjson.dumps(asdict(job)))
        fresh.replace(self.path / "job.json")

    def read(self) -> ExportJob | None:
        """How the job stood; None when that can't be read."""
        try:
            kept = orjson.loads((self.path / "job.json").read_bytes())
            return replace(ExportJob(**kept), order=ExportOrder(**kept["order"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def remove(self) -> None:
        """Forget the job; what is not there any more is no fault."""
        for name in ("content", "content.part", "job.json", "job.json.new"):
            (self.path / name).unlink(missing_ok=True)
        if self.path.exists():
            self.path.rmdir()

    @classmethod
    def made(cls, folder: Path, job_id: str) -> Self:
        """A new one; raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / job_id
        path.mkdir(mode=0o700)
        return cls(path)
