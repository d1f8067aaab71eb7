"""Who a log is and which keys sign for it: the file ``identity``; pure text form."""

import secrets
import string
from dataclasses import dataclass

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.note import VerifierKey

FORMAT = "arr-journal 1"
ORIGIN_LENGTH = 8


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key and the tree size from which on it signs; it gives way to the next one."""

    since: int
    verifier: VerifierKey


@dataclass(frozen=True, slots=True)
class Identity:
    """A log's names and keys.

    Attributes:
        origin: the short name that document ids begin with.
        name: the checkpoint's origin line and the name of every key.
        keys: in order of ``since``, the first from 0.
    """

    origin: str
    name: str
    keys: tuple[LogKey, ...]

    @property
    def current_key(self) -> VerifierKey:
        """The key that signs new heads."""
        return self.keys[-1].verifier

    def key_at(self, size: int) -> VerifierKey:
        """The only key that may sign a head of this size."""
        return [key for key in self.keys if key.since <= size][-1].verifier

    def signers_at(self, size: int) -> tuple[tuple[VerifierKey, ...], ...]:
        """Who may have signed a head of this size in the journal, each the whole list of lines.

        The key before signs beside the one in force for a while; a head doesn't tell its time.
        """
        keys = [key.verifier for key in self.keys if key.since <= size]
        return ((keys[-1],), (keys[-1], keys[-2])) if len(keys) > 1 else ((keys[-1],),)

    @property
    def text(self) -> str:
        """The file's content."""
        lines = [FORMAT, f"origin {self.origin}", f"name {self.name}"]
        lines += [f"key {key.since} {key.verifier.text}" for key in self.keys]
        return "\n".join(lines) + "\n"


def new_origin() -> str:
    """A fresh short name: a letter, then letters and digits."""
    alphabet = string.ascii_lowercase + string.digits
    rest = "".join(secrets.choice(alphabet) for _ in range(ORIGIN_LENGTH - 1))
    return secrets.choice(string.ascii_lowercase) + rest


def parse_identity(text: str) -> Identity:
    """Read the file's text, which has one form only.

    Raises:
        IntegrityViolation: anything but that form.
    """
    try:
        identity = _read(text.split("\n"))
    except ValueError as error:
        raise IntegrityViolation(f"the journal's identity can't be read: {error}") from error
    if identity.text != text:
        raise IntegrityViolation("the journal's identity is not in its one form")
    return identity


def _read(lines: list[str]) -> Identity:
    if len(lines) < 5 or lines[0] != FORMAT:  # noqa: PLR2004 — three lines, a key, the end
        raise ValueError(f"it begins with {FORMAT!r} and names origin, name and keys")
    origin = lines[1].removeprefix("origin ")
    name = lines[2].removeprefix("name ")
    keys = []
    for line in lines[3:-1]:
        since, _, verifier = line.removeprefix("key ").partition(" ")
        keys.append(LogKey(int(since), VerifierKey.parse(verifier)))
    starts = [key.since for key in keys]
    if not layout.is_origin(origin) or starts[0] != 0 or starts != sorted(set(starts)):
        raise ValueError("an origin has four to sixteen of a-z and 0-9; keys rise from 0")
    if any(key.verifier.name != name for key in keys):
        raise ValueError("a key's name is the log's")
    return Identity(origin, name, tuple(keys))
