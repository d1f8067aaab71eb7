"""Legal holds: records that nothing removes while they are needed. They lie in one state file."""

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from audit.errors import ConfigurationError, NotFound
from audit.index.criteria import fold
from audit.index.document import IndexedRecord
from audit.service.paths import PRIVATE_FILE, DataPaths

HELD_FIELDS = ("patient", "study", "user")
RECORD = "record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold.

    Attributes:
        id: its name, made by ``new_hold_id``.
        case: the file number or name of the case that it belongs to.
        reason: why, for people.
        field: patient, study, user, or record.
        values: any of these; of records their ids.
        since: when it was laid (UTC nanoseconds).
        by: who laid it.
    """

    id: str
    case: str
    reason: str
    field: str
    values: tuple[str, ...]
    since: int
    by: str


def new_hold_id() -> str:
    """A name that no hold has or had."""
    return f"hold-{secrets.token_hex(4)}"


class Holds:
    """All holds of a repository, for asking whether a record is held."""

    def __init__(self, holds: Iterable[Hold]) -> None:
        self.all = tuple(holds)
        self._folded = {hold.id: {fold(value) for value in hold.values} for hold in self.all}

    def holding(self, record: IndexedRecord) -> Hold | None:
        """The first hold that the record is under; None when it is under none."""
        for hold in self.all:
            values = (record.id,) if hold.field == RECORD else record.values(hold.field)
            if any(fold(value) in self._folded[hold.id] for value in values):
                return hold
        return None


class HoldFile:
    """Reads and changes the file; the caller journals each change before it is made."""

    def __init__(self, paths: DataPaths) -> None:
        self._path = paths.state.parent / "holds.json"

    def read(self) -> Holds:
        """All holds.

        Raises:
            ConfigurationError: the file is damaged; nothing may be removed until it is mended.
        """
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return Holds(Hold(**(row | {"values": tuple(row["values"])})) for row in rows)
        except FileNotFoundError:
            return Holds(())
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ConfigurationError(
                f"{self._path}: the legal holds can't be read ({error}); restore the file"
            ) from error

    def add(self, hold: Hold) -> None:
        """Lay a hold; durable at return."""
        self._write([*self.read().all, hold])

    def named(self, *, hold_id: str = "", case: str = "") -> tuple[Hold, ...]:
        """The hold of that id, or all of that case.

        Raises:
            NotFound: there is none.
        """
        found = tuple(
            hold for hold in self.read().all if hold.id == hold_id or (case and hold.case == case)
        )
        if not found:
            raise NotFound(f"there is no hold {hold_id or f'of case {case}'}")
        return found

    def release(self, holds: Iterable[Hold]) -> None:
        """End holds; durable at return."""
        ended = {hold.id for hold in holds}
        self._write([hold for hold in self.read().all if hold.id not in ended])

    def _write(self, holds: Iterable[Hold]) -> None:
        octets = json.dumps([asdict(hold) for hold in holds], indent=1).encode()
        replace_file(self._path, octets)


def replace_file(path: Path, octets: bytes) -> None:
    """The file holds these octets, for its owner alone, at every moment the old or the new."""
    unfinished = path.with_name(path.name + ".tmp")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(fd, "wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
