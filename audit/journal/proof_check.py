"""Checks a proof offline and says what it shows, as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit.errors import IncompleteCheck, IntegrityViolation
from audit.journal.note import Checkpoint, VerifierKey
from audit.journal.proof import Proof, parse_proof
from audit.journal.proof_envelope import EnvelopeFacts
from audit.journal.witness_key import WitnessKey, cosignatures

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ProofReport:
    """What a proof shows.

    Attributes:
        facts: of the record's envelope.
        head: under which the record stands.
        signed: whether a known key of the log signed the head.
        message_compared: whether the message was there to be compared.
        witnesses: name and POSIX time of each cosignature asked for.
    """

    facts: EnvelopeFacts
    head: Checkpoint
    signed: bool
    message_compared: bool
    witnesses: tuple[tuple[str, int], ...]

    @property
    def exit_code(self) -> int:
        """What ``arr prove --check`` ends with."""
        return 0 if self.signed else IncompleteCheck.exit_code

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        facts = self.facts
        received = datetime.fromtimestamp(facts.received_at // _NS_PER_S, UTC).isoformat()
        return {
            "sequence": facts.sequence,
            "log": self.head.origin,
            "size": self.head.size,
            "root": self.head.root.hex(),
            "signature": "valid" if self.signed else "not checked: no key of the log is known",
            "message": "matches" if self.message_compared else "not compared: none was given",
            "witnesses": {
                name: datetime.fromtimestamp(at, UTC).isoformat() for name, at in self.witnesses
            },
            "kind": facts.kind.name.lower(),
            "received": received,
            "listener": facts.listener,
            "peer": facts.peer,
            "certificate_sha256": facts.certificate_sha256.hex(),
            "sent_octets": facts.sent_length,
            "kept_octets": facts.stored_length,
            "body_sha256": facts.body_sha256.hex(),
        }


def check_proof(
    text: str,
    message: bytes | None,
    keys: Sequence[VerifierKey],
    witnesses: Sequence[WitnessKey] = (),
) -> ProofReport:
    """Check all that can be checked with what is given.

    Args:
        text: content of a ``.tlog-proof`` file.
        message: the message's octets as received, when they are at hand.
        keys: of the log, from a source other than the proof; without any the signature can't be
            checked, and the report says so.
        witnesses: each of them must have cosigned the head.

    Raises:
        IntegrityViolation: something does not match.
    """
    proof = parse_proof(text)
    facts = proof.facts()
    if message is not None:
        facts.require_message(message)
    head = proof.check(keys) if keys else proof.unsigned()
    return ProofReport(facts, head, bool(keys), message is not None, _cosigned(proof, witnesses))


def _cosigned(proof: Proof, witnesses: Sequence[WitnessKey]) -> tuple[tuple[str, int], ...]:
    found = cosignatures(proof.checkpoint, witnesses)
    missing = sorted({key.name for key in witnesses} - {one.witness.name for one in found})
    if missing:
        raise IntegrityViolation(f"no cosignature of {', '.join(missing)}")
    return tuple((one.witness.name, one.at) for one in found)
