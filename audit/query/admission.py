"""From what is stored of somebody to the principal that asks."""

from dataclasses import dataclass, replace

from audit.index.criteria import And, Criteria, Or, Term
from audit.query.access import Kind, Principal, Scope
from audit.query.roles import Role, all_roles, roles_named, rows_of, scopes_of
from audit.state.accounts import Account
from audit.state.grants import Grants
from audit.state.sessions import Guest, Session
from audit.state.tokens import ApiToken

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp:
    """Scopes that a person holds only for a while after showing who they are.

    Attributes:
        within_s: so long after a proof of identity they hold.
        scopes: which ones.
    """

    within_s: float = 900.0
    scopes: frozenset[str] = frozenset({Scope.EVENTS_RAW, Scope.EVENTS_EXPORT, Scope.REPORTS_READ})

    def held(self, principal: Principal, proved_at: int | None, now: int) -> Principal:
        """The principal without the scopes that its proof of identity is too old for.

        Args:
            principal: with all that was granted.
            proved_at: when it last showed who it is, UTC nanoseconds; None when nobody knows.
            now: UTC nanoseconds.
        """
        if proved_at is not None and now - proved_at < self.within_s * NS_PER_S:
            return principal
        withheld = principal.scopes & self.scopes
        return replace(
            principal,
            scopes=principal.scopes - withheld,
            withheld=withheld,
            proof_within_s=self.within_s,
        )


def check_grants(grants: Grants) -> Grants:
    """The grants, when every name in them means something.

    Raises:
        ValueError: there is no such scope or role, or nothing is granted.
    """
    if grants.is_empty:
        raise ValueError("nothing is granted: name a role or a scope")
    for scope in grants.scopes:
        Scope(scope)
    roles_named(grants.roles)
    return grants


def scopes_granted(grants: Grants) -> frozenset[str]:
    """Every scope, of itself or of a role; names that mean nothing any more grant nothing."""
    known = frozenset(scope for scope in grants.scopes if scope in set(Scope))
    return known | scopes_of(_roles(grants))


def rows_granted(grants: Grants) -> Criteria | None:
    """The records that may be seen at all; None for every one."""
    parts: list[Criteria] = []
    by_role = None if Scope.EVENTS_READ in grants.scopes else rows_of(_roles(grants))
    if by_role is not None:
        parts.append(by_role)
    for field, names in (("site", grants.sites), ("node", grants.sources)):
        if names:
            parts.append(Or(tuple(Term(field, name) for name in sorted(names))))
    return And(tuple(parts)) if parts else None


def principal_of(
    holder: Account | ApiToken | Guest | Session,
    *,
    kind: Kind,
    address: str = "",
    reason: str = "",
) -> Principal:
    """Whoever holds the account, token or session, as the one who asks."""
    session = holder if isinstance(holder, Session) else None
    named = holder.owner if isinstance(holder, ApiToken) else holder.display_name
    return Principal(
        name=holder.name,
        display_name=named,
        scopes=scopes_granted(holder.grants),
        kind=kind,
        address=address,
        rows=rows_granted(holder.grants),
        roles=tuple(sorted(holder.grants.roles)),
        reason=reason or (session.reason if session else ""),
        emergency=session.emergency if session else False,
    )


def _roles(grants: Grants) -> tuple[Role, ...]:
    """The roles there still are."""
    return roles_named(name for name in sorted(grants.roles) if name in all_roles())
