"""Sign-ins on their way over an identity provider: each opens once, for its own browser."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from audit.state.database import Database
from audit.state.options import StateOptions
from audit.state.secrets import digest_of, new_secret
from audit.state.tables import REASON_CHARS, sign_ins


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """A sign-in on its way.

    Attributes:
        state: binds the provider's answer to the browser that asked.
        nonce: binds the provider's token to the attempt.
        verifier: proves that whoever brings the provider's code asked for it.
        path: the page to go on to.
        confirms: digest of the session whose holder shows again that it is them; empty for a
            new session.
        reason: why, when the policy wants to know.
        begun_at: UTC nanoseconds.
    """

    state: str
    nonce: str
    verifier: str
    path: str
    confirms: str = ""
    reason: str = ""
    begun_at: int = 0


class SignIns:
    """Keeps sign-ins while their browser is at the identity provider."""

    def __init__(self, database: Database, options: StateOptions) -> None:
        self._database = database
        self._options = options

    def begin(self, pending: PendingSignIn) -> str:
        """Keep it for a while; the secret that the browser keeps."""
        secret = new_secret()
        row = {
            "digest": digest_of(secret),
            "state": pending.state,
            "nonce": pending.nonce,
            "verifier": pending.verifier,
            "path": pending.path,
            "confirms": pending.confirms,
            "reason": pending.reason[:REASON_CHARS],
            "begun_at": self._database.clock(),
            "expires_at": self._database.seconds_from_now(self._options.sign_in_lifetime_s),
        }
        with self._database.begin() as connection:
            connection.execute(insert(sign_ins).values(row))
        return secret

    def take(self, secret: str) -> PendingSignIn | None:
        """The sign-in of that secret, which opens it this once; None for any other."""
        which = sign_ins.c.digest == digest_of(secret)
        with self._database.begin() as connection:
            row = connection.execute(select(sign_ins).where(which)).first()
            taken = connection.execute(delete(sign_ins).where(which)).rowcount
        if row is None or not taken or self._database.clock() >= row.expires_at:
            return None
        return PendingSignIn(
            state=row.state,
            nonce=row.nonce,
            verifier=row.verifier,
            path=row.path,
            confirms=row.confirms,
            reason=row.reason,
            begun_at=row.begun_at,
        )

    def cleanup(self, most: int) -> int:
        """Forget what has expired; how many."""
        expired = sign_ins.c.expires_at <= self._database.clock()
        return self._database.delete_some(sign_ins.c.digest, expired, most)
