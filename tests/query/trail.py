"""A trail in memory, a real journal below it, and a service that answers from both."""

from collections.abc import Callable
from dataclasses import dataclass, field

from audit.errors import JournalUnavailable
from audit.index.document import IndexedRecord
from audit.journal.reader import JournalReader
from audit.journal.writer import JournalWriter
from audit.projector.follow import Follower, FollowOptions
from audit.projector.project import project
from audit.query.access import READ_SCOPES, Principal
from audit.query.search import SearchOptions, SearchService
from audit.query.self_audit import RepositoryIdentity
from tests.projector.messages import NOW, entry, received
from tests.query.memory_index import MemoryIndex

MARA = Principal("mvoss@example.org", "Mara Voss", frozenset(READ_SCOPES), "account", "10.1.2.3")
NOBODY = Principal("guest")
IDENTITY = RepositoryIdentity(
    source_id="arr-1",
    hostname="arr.example",
    process_id="4711",
    log_uri="urn:arr:audit-log:test",
    site="main",
)


@dataclass
class Trail:
    """What the tests of the service share.

    ``append`` puts a message into the journal as the append socket would; ``journal_is_down``
    makes it fail.
    """

    writer: JournalWriter
    reader: JournalReader
    index: MemoryIndex = field(default_factory=MemoryIndex)
    now: int = NOW
    journal_is_down: bool = False
    appended: list[bytes] = field(default_factory=list)

    def append(self, raw: bytes) -> int:
        if self.journal_is_down:
            raise JournalUnavailable("the journal is stopped")
        self.appended.append(raw)
        return self.take(raw, listener="own", peer="")

    def take(self, raw: bytes, *, at: int | None = None, **changes: str) -> int:
        arrival = received(raw, received_at=self.now if at is None else at, **changes)
        return self.writer.append([arrival])[0]

    def follow(self) -> None:
        follower = Follower(self.reader, self.index, FollowOptions())
        while follower.step():
            pass

    def service(self, **options: object) -> SearchService:
        given: dict[str, object] = {
            "identity": IDENTITY,
            "cursor_key": bytes(32),
            "clock": lambda: self.now,
        }
        return SearchService(
            self.index,
            self.reader,
            self.append,
            SearchOptions(**(given | options)),  # type: ignore[arg-type]
        )

    def own_records(self) -> list[IndexedRecord]:
        """What the service journaled of its own use, as records."""
        return [project(entry(raw, listener="own"), "own") for raw in self.appended]

    def details(self) -> list[dict[str, str]]:
        """The details of each record of use."""
        return [
            {detail["type"]: detail["value"] for detail in one["details"]}
            for record in self.own_records()
            for one in record.body["message"]["objects"]
        ]


Opened = Callable[[], Trail]
