"""Claims → who somebody is, and what they may do here."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.query.access import Scope
from audit.query.admission import NS_PER_S
from audit.query.roles import all_roles
from audit.state.grants import Grants
from audit.state.sessions import Guest
from audit.web.errors import Unauthenticated
from audit.web.oidc.options import OidcOptions

_LATEST_S = 2**33
_LONGEST_NAME = 128
_MOST_VALUES = 100


def guest_of(claims: Mapping[str, Any], options: OidcOptions) -> Guest:
    """Whom the claims name; with nothing granted when no role or scope of theirs means anything.

    Raises:
        Unauthenticated: they name nobody.
    """
    name = _text(claims, options.name_claim) or _text(claims, "sub")
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise Unauthenticated("the token names nobody")
    return Guest(
        name=name,
        display_name=_text(claims, options.display_name_claim),
        grants=Grants(
            scopes=_scopes(claims, options.scope_map),
            roles=_roles(_values(claims, options.roles_claim), options.role_map),
            sites=_narrowed(claims, options.sites_claim),
            sources=_narrowed(claims, options.sources_claim),
        ),
        issuer=options.issuer,
        is_person=claims.get("client_id", claims.get("azp")) != claims.get("sub"),
        proved_at=_proved_at(claims),
    )


def _proved_at(claims: Mapping[str, Any]) -> int | None:
    """When they showed the provider who they are (``auth_time``), UTC nanoseconds."""
    told = claims.get("auth_time")
    if not isinstance(told, int | float) or not 0 <= told <= _LATEST_S:
        return None
    return round(told * NS_PER_S)


def _roles(named: Iterable[str], role_map: Mapping[str, str]) -> frozenset[str]:
    known = all_roles()
    here = (role_map.get(name, "") if role_map else name for name in named)
    return frozenset(name for name in here if name in known)


def _scopes(claims: Mapping[str, Any], scope_map: Mapping[str, str]) -> frozenset[str]:
    told = _text(claims, "scope").split()
    here = {scope for name in told for scope in scope_map.get(name, "").split()}
    return frozenset(here & set(Scope))


def _narrowed(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The names in a claim that narrows what is seen; a missing one shows nothing, not all."""
    if not path:
        return frozenset()
    return frozenset(_values(claims, path)) or frozenset({"(none)"})


def _values(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return tuple(found.split())
    if isinstance(found, list):
        return tuple(value for value in found[:_MOST_VALUES] if isinstance(value, str))
    return ()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
