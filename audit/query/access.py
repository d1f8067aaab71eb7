"""Who may ask what: principals and their scopes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from audit.errors import Denied
from audit.index.criteria import Criteria


class Scope(StrEnum):
    """What a principal may do. A scope names one kind of act; none implies another."""

    EVENTS_READ = "events:read"
    """Search records and see them; what leads to a patient only as pseudonyms."""
    PATIENTS_IDENTIFY = "patients:identify"
    """See in records, and search by, what identifies a patient, instead of pseudonyms."""
    AUDIT_READ = "audit:read"
    """See this repository's records of its own use: who looked at what."""
    EVENTS_RAW = "events:raw"
    """See a message's exact octets, which identify whomever they name."""
    EVENTS_EXPORT = "events:export"
    """Take many records out at once."""
    EVENTS_WRITE = "events:write"
    """Append records over HTTP."""
    SIEM_READ = "siem:read"
    """Follow the feeds."""
    REPORTS_READ = "reports:read"
    """Have reports made."""
    JOURNAL_READ = "journal:read"
    """Heads, proofs and the state of the journal."""
    OPERATE = "operate"
    """Health, metrics, sources, certificates, settings; no record."""
    ADMIN = "admin"
    """Accounts, tokens and sessions of others."""


ALL_SCOPES = frozenset(Scope)
READ_SCOPES = frozenset(
    {
        Scope.EVENTS_READ,
        Scope.PATIENTS_IDENTIFY,
        Scope.AUDIT_READ,
        Scope.EVENTS_RAW,
        Scope.EVENTS_EXPORT,
        Scope.SIEM_READ,
        Scope.REPORTS_READ,
        Scope.JOURNAL_READ,
    }
)
"""Every scope that only reads."""

Kind = Literal["account", "token", "process"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks.

    Attributes:
        name: login, token name or process name, as the audit trail will name it.
        display_name: a person's name; may be empty.
        scopes: what it may do, names of ``Scope``.
        kind: a person's account, an API token, or a process of this repository.
        address: from where it asks; may be empty.
        rows: the records it may see at all; None for every one.
        roles: names of the roles it has these scopes from, for the eye.
        reason: why it asks, as the records of what it does will say; may be empty.
        emergency: it broke the glass; the records of what it does say so.
        withheld: scopes that it holds again once it has shown anew who it is.
        proof_within_s: how old the proof may be for these.
    """

    name: str
    display_name: str = ""
    scopes: frozenset[str] = frozenset()
    kind: Kind = "account"
    address: str = ""
    rows: Criteria | None = None
    roles: tuple[str, ...] = ()
    reason: str = ""
    emergency: bool = False
    withheld: frozenset[str] = frozenset()
    proof_within_s: float = 0.0

    @property
    def identified(self) -> bool:
        """Whether patients are shown to it as they are; else by pseudonyms."""
        return Scope.PATIENTS_IDENTIFY in self.scopes

    def may(self, scope: str) -> bool:
        """Whether it holds the scope."""
        return scope in self.scopes


class ReasonNeeded(Denied):
    """Policy wants to know why before this is done; give a reason and ask again."""


class ProofNeeded(Denied):
    """This needs a proof of identity no older than ``within_s``; sign in and ask again."""

    def __init__(self, text: str, within_s: float) -> None:
        super().__init__(text)
        self.within_s = within_s


def require(principal: Principal, scope: str) -> None:
    """Let the principal pass.

    Raises:
        ProofNeeded: it would hold the scope with a fresh proof of identity.
        Denied: it doesn't hold the scope; the text names the scope.
    """
    if scope in principal.withheld:
        raise ProofNeeded(
            f"{principal.name} must show anew who they are: this needs the scope {scope}",
            principal.proof_within_s,
        )
    if not principal.may(scope):
        raise Denied(f"{principal.name} may not do this: it needs the scope {scope}")


def scopes_named(names: frozenset[str]) -> frozenset[Scope]:
    """The scopes of these names.

    Raises:
        ValueError: one of them is no scope.
    """
    return frozenset(Scope(name) for name in names)
