from typing import Any

import pytest

from audit.web.errors import Unauthenticated
from audit.web.oidc.claims import guest_of
from audit.web.oidc.options import OidcOptions

BASE = {"sub": "u-17", "preferred_username": "mvoss", "name": "Mara Voss"}


def options(**changes: Any) -> OidcOptions:
    return OidcOptions(issuer="https://idp.example", client_id="arr", **changes)


def test_name_and_roles() -> None:
    guest = guest_of(BASE | {"roles": ["reviewer", "king", 7]}, options())
    assert (guest.name, guest.display_name, guest.issuer) == (
        "mvoss",
        "Mara Voss",
        "https://idp.example",
    )
    assert guest.grants.roles == {"reviewer"}
    assert guest.is_person


def test_roles_are_mapped_and_found_inside() -> None:
    nested = options(roles_claim="realm.roles", role_map={"privacy-office": "investigator"})
    told = BASE | {"realm": {"roles": ["privacy-office", "reviewer"]}}
    assert guest_of(told, nested).grants.roles == {"investigator"}
    for other in ({}, {"realm": "x"}, {"realm": {"roles": {"a": 1}}}, {"realm": None}):
        assert guest_of(BASE | other, nested).grants.is_empty


def test_a_claim_may_be_one_text() -> None:
    assert guest_of(BASE | {"roles": "reviewer siem"}, options()).grants.roles == {
        "reviewer",
        "siem",
    }


def test_scopes_of_the_provider_are_mapped() -> None:
    mapped = options(scope_map={"system/AuditEvent.rs": "events:read patients:identify nonsense"})
    told = BASE | {"scope": "openid system/AuditEvent.rs"}
    assert guest_of(told, mapped).grants.scopes == {"events:read", "patients:identify"}
    assert guest_of(told, options()).grants.is_empty


def test_a_missing_narrowing_shows_nothing() -> None:
    narrow = options(sites_claim="sites", sources_claim="nodes")
    grants = guest_of(BASE | {"roles": ["reviewer"], "sites": ["a", "b"]}, narrow).grants
    assert grants.sites == {"a", "b"}
    assert grants.sources == {"(none)"}


def test_a_program_asks_in_its_own_name() -> None:
    told = {"sub": "feed", "client_id": "feed"}
    guest = guest_of(told, options())
    assert (guest.name, guest.is_person) == ("feed", False)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 129, 7])
def test_who_names_nobody_is_nobody(name: object) -> None:
    with pytest.raises(Unauthenticated):
        guest_of({"preferred_username": name, "sub": name}, options())


@pytest.mark.parametrize(
    ("told", "proved_at"),
    [
        (1_700_000_000, 1_700_000_000 * 10**9),
        (1_700_000_000.5, 1_700_000_000_500_000_000),
        (-1, None),
        (1e300, None),
        (float("nan"), None),
        ("1700000000", None),
        (None, None),
    ],
)
def test_when_they_showed_who_they_are(told: object, proved_at: int | None) -> None:
    assert guest_of(BASE | {"auth_time": told}, options()).proved_at == proved_at
    assert guest_of(BASE, options()).proved_at is None
