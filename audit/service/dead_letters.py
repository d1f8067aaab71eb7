"""What is asked for about records that Elasticsearch refused for good, and how it is done.

What changes the list is asked for through a small file, as a rebuild is; the
process that writes the index does it between two batches, so that the index has one writer.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import structlog

from audit.errors import AuditError
from audit.index.elastic_index import ElasticIndex
from audit.index.elastic_letters import DeadLetter
from audit.index.port import SearchIndex
from audit.journal.entry import Entry
from audit.journal.reader import JournalReader
from audit.projector.certificates import CertificateNames
from audit.projector.jobs import Job, run_jobs
from audit.projector.options import ProjectionOptions
from audit.service.paths import DataPaths
from audit.service.state_file import replace_file

log = structlog.get_logger()

Act: TypeAlias = Literal["retry", "drop"]

_AT_ONCE: Final = 500


@dataclass(slots=True)
class LetterRequest:
    """What an operator asked for, and what came of it.

    Attributes:
        id: of the request.
        act: retry puts the records again, drop takes them out of the list alone.
        ids: of the records; None for all that are listed.
        done: whether it was carried out.
        taken: records that are in the index now.
        refused: records that were refused again and stay listed.
        dropped: letters that were taken out of the list: on request, or because the journal has
            lawfully forgotten the record.
        unreadable: records that the journal can't give now; they stay listed.
    """

    id: str
    act: Act
    ids: list[str] | None = None
    done: bool = False
    taken: int = 0
    refused: int = 0
    dropped: int = 0
    unreadable: int = 0


def request_file(paths: DataPaths) -> Path:
    """Where it is asked for."""
    return paths.run / "dead-letters.json"


def ask(paths: DataPaths, asked: LetterRequest) -> None:
    """Ask the process that writes the index."""
    replace_file(request_file(paths), json.dumps(asdict(asked)).encode())


def last_request(paths: DataPaths) -> LetterRequest | None:
    """What was asked for last."""
    try:
        return LetterRequest(**json.loads(request_file(paths).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


class LetterRequests:
    """Carries out what is asked for; call it between batches, in the thread that writes.

    Args:
        paths: of the repository.
        reader: its journal.
        index: whose list it is.
        options: how records are projected.
    """

    def __init__(
        self,
        paths: DataPaths,
        reader: JournalReader,
        index: ElasticIndex,
        options: ProjectionOptions,
    ) -> None:
        self._paths = paths
        self._reader = reader
        self._index = index
        self._options = options
        self._names = CertificateNames(reader.certificate)
        self._seen = -1

    def __call__(self) -> None:
        """Look whether something is asked for, and do it.

        Raises:
            AuditError: the index did not take it now; it stays asked for.
        """
        try:
            changed = request_file(self._paths).stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed == self._seen:
            return
        asked = last_request(self._paths)
        if asked is not None and not asked.done:
            self._do(asked)
            asked.done = True
            log.info("dead letters", act=asked.act, taken=asked.taken, refused=asked.refused)
            ask(self._paths, asked)
        self._seen = changed

    def _do(self, asked: LetterRequest) -> None:
        self._index.letters.load()
        ids = None if asked.ids is None else frozenset(asked.ids)
        chosen = [one for one in self._index.letters.listed() if ids is None or one.id in ids]
        for start in range(0, len(chosen), _AT_ONCE):
            letters = chosen[start : start + _AT_ONCE]
            if asked.act == "drop":
                asked.dropped += self._index.letters.forget(one.id for one in letters)
            else:
                self._retry(letters, asked)

    def _retry(self, letters: Sequence[DeadLetter], asked: LetterRequest) -> None:
        jobs: list[Job] = []
        gone: list[str] = []
        for letter in letters:
            entry = self._entry(letter)
            if entry is None:
                asked.unreadable += 1
            elif entry.is_removed:
                gone.append(letter.id)
            else:
                name = self._names.name(entry.received.certificate_sha256)
                jobs.append(Job(entry, name, letter.repeat_of))
        made = run_jobs(jobs, self._reader.origin, self._options)
        again = self._index.put_again([one.record for one in made]) if made else 0
        asked.dropped += self._index.letters.forget(gone)
        asked.refused += again
        asked.taken += len(made) - again

    def _entry(self, letter: DeadLetter) -> Entry | None:
        try:
            return self._reader.read(letter.sequence)
        except AuditError as error:
            log.warning("dead letter can't be read", record=letter.id, reason=str(error))
            return None


def requests_for(
    paths: DataPaths, reader: JournalReader, index: SearchIndex, options: ProjectionOptions
) -> LetterRequests | None:
    """What to call between batches; None for an index that refuses nothing."""
    if not isinstance(index, ElasticIndex):
        return None
    return LetterRequests(paths, reader, index, options)


def count_of(index: SearchIndex | None) -> int | None:
    """How many letters the process that writes knows of; None for an index without any."""
    return index.letters.count if isinstance(index, ElasticIndex) else None


def refusals_in(index: SearchIndex) -> dict[str, str]:
    """Reasons by record id, of an index that may refuse records."""
    if not isinstance(index, ElasticIndex):
        return {}
    return {letter.id: letter.reason for letter in index.letters.listed()}
