"""Roles: named sets of scopes, from ``schemas/access/roles.toml``."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from audit.index.criteria import And, Criteria, Not, Or, Term
from audit.query.access import Scope
from audit.standards import files

AUDIT_LOG_USED = "110101"
OUTSIDE = ("tls", "udp", "tcp", "fhir", "import")
"""Listeners that take what others say."""

FROM_OUTSIDE = Or(tuple(Term("listener", name) for name in OUTSIDE))
OWN_USE: Criteria = And((Term("event", AUDIT_LOG_USED), Not(FROM_OUTSIDE)))
"""This repository's records of its own use; what came from outside is never one of them."""

OWN_USE_QUERY = " ".join((f"event:{AUDIT_LOG_USED}", *(f"-listener:{name}" for name in OUTSIDE)))
"""``OWN_USE`` in the query language."""

_ROWS: dict[str, Criteria | None] = {"all": None, "own-use": OWN_USE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of scopes.

    Attributes:
        name: as accounts, tokens and settings name it.
        scopes: what it may do.
        rows: the records it may see at all; None for every one.
        meaning: for whom it is.
    """

    name: str
    scopes: frozenset[Scope]
    rows: Criteria | None
    meaning: str


@cache
def all_roles() -> dict[str, Role]:
    """Every role by its name, in the order of the table."""
    table = files.read_toml("access/roles.toml")["role"]
    return {
        name: Role(
            name=name,
            scopes=frozenset(map(Scope, row["scopes"])),
            rows=_ROWS[row.get("rows", "all")],
            meaning=row["meaning"],
        )
        for name, row in table.items()
    }


def roles_named(names: Iterable[str]) -> tuple[Role, ...]:
    """The roles of these names.

    Raises:
        ValueError: one of them is no role; the text names those there are.
    """
    known = all_roles()
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise ValueError(f"there is no role {name!r}; roles are {', '.join(known)}")
    return tuple(known[name] for name in wanted)


def scopes_of(roles: Iterable[Role]) -> frozenset[Scope]:
    """What somebody with all these roles may do."""
    return frozenset(scope for role in roles for scope in role.scopes)


def rows_of(roles: Iterable[Role]) -> Criteria | None:
    """The records that somebody with all these roles may see: those that any of them may.

    A role that sees no record of its own doesn't widen what the others see.
    """
    reading = [role for role in roles if Scope.EVENTS_READ in role.scopes]
    if not reading or any(role.rows is None for role in reading):
        return None
    return Or(tuple(role.rows for role in reading if role.rows is not None))
