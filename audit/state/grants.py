"""Grants: what an account, token or session may do, and of which records."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from audit.errors import RequestError
from audit.state.tables import SCOPES_CHARS

_MOST_NAMES = 100
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What somebody may do, by names that ``audit.query`` gives a meaning.

    Attributes:
        scopes: single permissions.
        roles: named sets of such.
        sites: AuditEnterpriseSiteIDs whose records it sees; none given is every one.
        sources: AuditSourceIDs whose records it sees; none given is every one.
    """

    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether they permit nothing."""
        return not self.scopes and not self.roles

    def as_dict(self) -> dict[str, list[str]]:
        """The JSON form that commands and API show."""
        return {
            "roles": sorted(self.roles),
            "scopes": sorted(self.scopes),
            "sites": sorted(self.sites),
            "sources": sorted(self.sources),
        }


NOTHING = Grants()


def columns_of(grants: Grants) -> dict[str, str]:
    """The grants as they are stored.

    Raises:
        RequestError: there are too many names, or one is too long.
    """
    for names in (grants.scopes, grants.roles, grants.sites, grants.sources):
        if len(names) > _MOST_NAMES or any(len(name) > _LONGEST_NAME for name in names):
            raise RequestError(
                f"at most {_MOST_NAMES} names of at most {_LONGEST_NAME} characters each"
            )
    scopes = joined(grants.scopes)
    if len(scopes) > SCOPES_CHARS:
        raise RequestError(f"the scopes are longer than {SCOPES_CHARS} characters together")
    return {
        "scopes": scopes,
        "roles": joined(grants.roles),
        "sites": _listed(grants.sites),
        "sources": _listed(grants.sources),
    }


def grants_of(row: Row[tuple[Any, ...]]) -> Grants:
    """The grants of a stored row."""
    return Grants(
        scopes=frozenset(row.scopes.split()),
        roles=frozenset(row.roles.split()),
        sites=frozenset(json.loads(row.sites)),
        sources=frozenset(json.loads(row.sources)),
    )


def joined(names: Iterable[str]) -> str:
    """Names without blanks in one text."""
    return " ".join(sorted(names))


def _listed(names: Iterable[str]) -> str:
    return json.dumps(sorted(names), ensure_ascii=False)
