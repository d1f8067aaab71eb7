"""Asks one witness to cosign a head (C2SP tlog-witness, the log's side)."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from audit.errors import ConfigurationError, ConnectionFailed, IntegrityViolation
from audit.journal.note import Checkpoint, SignatureLine, VerifierKey, parse_signature
from audit.journal.proof import prove_growth
from audit.journal.witness import SIZE_MEDIA_TYPE
from audit.journal.witness_key import WitnessKey, cosignatures
from audit.service.publish_http import HttpOptions, ask

_MAX_SIZE_DIGITS = 20


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """Where a witness is and how its cosignatures are known."""

    url: str
    key: WitnessKey

    @classmethod
    def parse(cls, text: str) -> "WitnessAddress":
        """Read ``URL VKEY``.

        Raises:
            ConfigurationError: it is not.
        """
        url, _, key = text.strip().partition(" ")
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError(f"journal.witnesses: {text!r} begins with no http(s) URL")
        try:
            return cls(url.rstrip("/"), WitnessKey.parse(key.strip()))
        except ValueError as error:
            raise ConfigurationError(
                f"journal.witnesses: {text!r} is not 'URL VERIFIERKEY': {error}"
            ) from error


class WitnessClient:
    """One witness, with the size of the log that it has last cosigned."""

    def __init__(self, address: WitnessAddress, journal_dir: Path, options: HttpOptions) -> None:
        self.address = address
        self._journal_dir = journal_dir
        self._options = options
        self._seen = 0

    def cosign(self, head: Checkpoint, note: str, key: VerifierKey) -> SignatureLine:
        """The witness's cosignature of the head, checked.

        Args:
            head: what the note says.
            note: the journal's signed head.
            key: the log's key that signed it.

        Raises:
            IntegrityViolation: the witness has seen a larger log, or another history: what it
                saw is gone from here.
            ConnectionFailed: the witness can't be reached, or does not cosign for another reason.
        """
        answer = self._ask(head, note, key)
        if answer is None:
            answer = self._ask(head, note, key)
        if answer is None:
            raise ConnectionFailed(f"{self.address.url}: its size changes with each question")
        self._seen = head.size
        return answer

    def _ask(self, head: Checkpoint, note: str, key: VerifierKey) -> SignatureLine | None:
        """The cosignature; None when the witness told another size than was thought."""
        url = f"{self.address.url}/add-checkpoint"
        if self._seen > head.size:
            raise IntegrityViolation(
                f"the witness {self.address.key.name} says that it saw {self._seen} entries, "
                f"the newest head here covers {head.size}"
            )
        growth = prove_growth(self._journal_dir, [key], self._seen, note)
        answer = ask("POST", url, self._options, growth.text.encode())
        if answer.status == HTTPStatus.CONFLICT:
            if answer.headers.get("content-type") != SIZE_MEDIA_TYPE:
                raise ConnectionFailed(f"{url} answered 409 without a size")
            self._seen = _size(url, answer.text)
            return None
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise IntegrityViolation(
                f"the witness {self.address.key.name} says that it saw another history of this "
                f"log, up to {self._seen} entries"
            )
        if answer.status != HTTPStatus.OK:
            raise ConnectionFailed(f"{url} answered {answer.status}")
        return self._line(url, note, answer.text)

    def _line(self, url: str, note: str, text: str) -> SignatureLine:
        """Its own line among those answered, checked."""
        try:
            lines = [parse_signature(line) for line in text.splitlines()]
            wanted = [line for line in lines if line.key_id == self.address.key.key_id]
            found = cosignatures(
                note + "".join(line.text for line in wanted[:1]), [self.address.key]
            )
        except IntegrityViolation as error:
            raise ConnectionFailed(f"{url} answered no cosignature: {error}") from error
        if not found:
            raise ConnectionFailed(f"{url} answered no cosignature by {self.address.key.name}")
        return found[0].line


def _size(url: str, text: str) -> int:
    digits = text.removesuffix("\n")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_SIZE_DIGITS):
        raise ConnectionFailed(f"{url} answered 409 without a size")
    return int(digits)
