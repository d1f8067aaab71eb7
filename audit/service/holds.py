"""Legal holds: records that nothing removes while they are needed.

They follow from the journal's own records. A file of the state folder keeps what followed up to a
place in the journal, signed by the log, so that not all of it is read each time. An older file put
in its place changes nothing: what came after it is read again.
"""

import re
import secrets
from collections.abc import Iterable

from audit.errors import ConfigurationError, IntegrityViolation, NotFound
from audit.index.criteria import fold
from audit.index.document import IndexedRecord
from audit.journal.note import Signer, open_note
from audit.journal.reader import JournalReader
from audit.journal.signing_key import load_signing_key
from audit.service.hold_records import Hold, follow
from audit.service.paths import DataPaths
from audit.service.state_file import replace_file

HELD_FIELDS = ("patient", "study", "user")
RECORD = "record"
FORMAT = "arr-holds 1"
_TEXT = re.compile(
    rf"{FORMAT}\nlog (?P<log>[^\n]+)\nthrough (?P<through>0|[1-9][0-9]{{0,19}})\n"
    r"(?P<holds>(?:\{[^\n]+\}\n)*)"
)


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

    def named(self, *, hold_id: str = "", case: str = "") -> tuple[Hold, ...]:
        """The hold of that id, or all of that case.

        Raises:
            NotFound: there is none.
        """
        found = tuple(
            hold for hold in self.all if hold.id == hold_id or (case and hold.case == case)
        )
        if not found:
            raise NotFound(f"there is no hold {hold_id or f'of case {case}'}")
        return found


class HoldFile:
    """The holds of one repository, as its journal tells them."""

    def __init__(self, paths: DataPaths, reader: JournalReader) -> None:
        self._path = paths.state.parent / "holds.note"
        self._key_file = paths.signing_key
        self._reader = reader

    def read(self) -> Holds:
        """All holds, by the file and by what is in the journal since.

        Raises:
            ConfigurationError: the file is damaged or not signed by the log; nothing may be
                removed until it is mended or deleted.
            JournalUnavailable: the journal can't be read.
        """
        through, holds = self._kept()
        return Holds(follow(holds, self._reader.iterate(through)))

    def refresh(self) -> Holds:
        """As ``read``; the file tells as much at return, durably.

        Raises:
            ConfigurationError: as ``read``, or the log's signing key can't be used.
        """
        durable = self._reader.durable_count()
        through, before = self._kept()
        holds = Holds(follow(before, self._reader.iterate(through, durable)))
        identity = self._reader.identity
        lines = "".join(f"{hold.text}\n" for hold in holds.all)
        text = f"{FORMAT}\nlog {identity.name}\nthrough {durable}\n{lines}"
        signer = Signer(identity.name, load_signing_key(self._key_file))
        if signer.verifier == identity.key_at(durable):  # else it was replaced a moment ago
            replace_file(self._path, signer.sign(text).encode())
        return holds

    def _kept(self) -> tuple[int, tuple[Hold, ...]]:
        """What the file tells, and up to which entry; nothing, up to none, without a file."""
        try:
            note = self._path.read_bytes().decode()
        except FileNotFoundError:
            return 0, ()
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(str(error)) from error
        try:
            return self._checked(note)
        except (IntegrityViolation, ValueError) as error:
            raise self._unusable(str(error)) from error

    def _checked(self, note: str) -> tuple[int, tuple[Hold, ...]]:
        identity = self._reader.identity
        found = _TEXT.fullmatch(note.rpartition("\n\n")[0] + "\n")
        if found is None or found["log"] != identity.name:
            raise ValueError("these are no holds of this log")
        through = int(found["through"])
        open_note(note, [identity.key_at(through)])
        return through, tuple(Hold.parse(line) for line in found["holds"].splitlines())

    def _unusable(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"{self._path}: the legal holds can't be read ({why}); restore the file, or delete "
            "it to have them read anew from the journal"
        )
