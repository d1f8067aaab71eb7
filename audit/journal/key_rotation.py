"""Hands a journal over from one signing key to the next; durable at each step.

Order: the next key, the seal signed by both, the identity that names the new key, and then the
keys' files. Whatever cuts it short is finished, or undone, when the journal is opened again; until
then no head is signed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit.errors import ConfigurationError, IntegrityViolation, RequestError
from audit.journal import layout
from audit.journal.epoch_seal import Seal, check_chain, handed_over, next_seal, parse_seal
from audit.journal.files import Files
from audit.journal.identity import Identity
from audit.journal.note import Checkpoint, Signer
from audit.journal.signing_key import create_signing_key, load_signing_key


def next_key_file(key_file: Path) -> Path:
    """Where the next key lies until the log is handed over to it."""
    return key_file.with_name(f"{key_file.name}.next")


def previous_key_file(key_file: Path) -> Path:
    """Where the key before lies while both sign."""
    return key_file.with_name(f"{key_file.name}.previous")


def read_seals(journal_dir: Path) -> list[Seal]:
    """The journal's seals in order, each signed by both its keys.

    Raises:
        IntegrityViolation: one is damaged, or missing before the last.
    """
    seals: list[Seal] = []
    for number, path in seal_files(journal_dir):
        try:
            seal = parse_seal(path.read_bytes().decode())
        except UnicodeDecodeError as error:
            raise IntegrityViolation(f"{path.name} is no text") from error
        if number != len(seals):
            raise IntegrityViolation(f"seal {len(seals)} is missing")
        seals.append(seal)
    return seals


def seal_files(journal_dir: Path) -> list[tuple[int, Path]]:
    """The seals' files with their numbers, in order."""
    folder = journal_dir / layout.SEALS
    if not folder.is_dir():
        return []
    return sorted(
        (number, path)
        for path in folder.iterdir()
        if (number := layout.seal_number(path.name)) is not None
    )


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """Changes the keys of one journal; for its writer alone."""

    journal_dir: Path
    key_file: Path
    files: Files
    clock: Callable[[], int]

    def rotate(self, identity: Identity, head: Checkpoint, overlap_ns: int) -> Identity:
        """Hand over at this head, the newest one; the identity from now on.

        Raises:
            RequestError: there is nothing that could be sealed; nothing was changed.
            ConfigurationError: the present key can't be used; nothing was changed.
            IntegrityViolation: the seals so far are damaged; nothing was changed.
            OSError: the disk failed; no head may be signed until the journal is opened again.
        """
        seals = read_seals(self.journal_dir)
        check_chain(identity, seals)
        if head.size <= (seals[-1].size if seals else 0):
            raise RequestError("the log has not grown since its key was replaced last")
        old = Signer(identity.name, load_signing_key(self.key_file))
        private = create_signing_key(next_key_file(self.key_file), self.files)
        new = Signer(identity.name, private)
        now = self.clock()
        seal = next_seal(identity, seals, head, new.verifier, time=now, overlap=now + overlap_ns)
        self.files.make_directory_durably(self.journal_dir / layout.SEALS)
        name = self.journal_dir / layout.seal_name(seal.number)
        self.files.replace_durably(name, seal.signed(old, new).encode())
        return self._hand_over(identity, seal)

    def finish(self, identity: Identity) -> Identity:
        """End what a crash cut short; the identity from now on.

        Raises:
            IntegrityViolation: the seals are damaged or contradict the identity.
            ConfigurationError: the new key is missing or unsafe.
            OSError: the disk failed.
        """
        seals = read_seals(self.journal_dir)
        if len(seals) == len(identity.keys):
            return self._hand_over(identity, seals[-1])
        check_chain(identity, seals)
        if next_key_file(self.key_file).exists():
            self._finish_key(identity)
        return identity

    def signers(self, identity: Identity) -> tuple[Signer, ...]:
        """Who signs heads now: the present key, and the one before while both do.

        Once the time of both is over, the old key's file is removed.

        Raises:
            IntegrityViolation: the seals are damaged.
            ConfigurationError: a key is missing, unsafe or not this journal's.
            OSError: the disk failed.
        """
        signer = Signer(identity.name, load_signing_key(self.key_file))
        if signer.verifier != identity.current_key:
            raise ConfigurationError(
                f"{self.key_file} is not the key of this journal, {identity.current_key.text}"
            )
        before = previous_key_file(self.key_file)
        seals = read_seals(self.journal_dir)
        if not seals or not before.exists():
            return (signer,)
        if self.clock() >= seals[-1].overlap:
            self.end_overlap()
            return (signer,)
        old = Signer(identity.name, load_signing_key(before))
        return (signer, old) if old.verifier == seals[-1].old else (signer,)

    def end_overlap(self) -> None:
        """Remove the old key's file, the time of both being over; raises OSError."""
        before = previous_key_file(self.key_file)
        if before.exists():
            self.files.remove_durably(before)

    def overlap_end(self) -> int:
        """When the old key ceases to sign, UTC nanoseconds; 0 without one."""
        seals = read_seals(self.journal_dir)
        return seals[-1].overlap if seals else 0

    def _hand_over(self, identity: Identity, seal: Seal) -> Identity:
        after = handed_over(identity, seal)
        check_chain(after, read_seals(self.journal_dir))
        self.files.replace_durably(self.journal_dir / layout.IDENTITY, after.text.encode())
        self._finish_key(after)
        return after

    def _finish_key(self, identity: Identity) -> None:
        """Put the keys' files where they belong, whatever is done of it already."""
        waiting = next_key_file(self.key_file)
        if not waiting.exists():
            return
        new = Signer(identity.name, load_signing_key(waiting))
        if new.verifier != identity.current_key:
            self.files.remove_durably(waiting)  # made, and then nothing was sealed with it
            return
        if self.key_file.exists():
            self.files.put_in_place_durably(self.key_file, previous_key_file(self.key_file))
        self.files.put_in_place_durably(waiting, self.key_file)
