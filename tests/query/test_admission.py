import pytest

from audit.index.criteria import And, Or, Term
from audit.query.access import Scope
from audit.query.admission import check_grants, principal_of, rows_granted, scopes_granted
from audit.query.roles import OWN_USE, all_roles
from audit.state.grants import Grants
from audit.state.sessions import Guest, Session
from audit.state.tokens import ApiToken


def grants(*roles: str, **more: frozenset[str]) -> Grants:
    return Grants(roles=frozenset(roles), **more)


def test_roles_and_scopes_add_up() -> None:
    both = grants("siem", scopes=frozenset({"admin"}))
    assert scopes_granted(both) == all_roles()["siem"].scopes | {"admin"}


def test_what_means_nothing_any_more_grants_nothing() -> None:
    assert scopes_granted(grants("king", scopes=frozenset({"events:all"}))) == frozenset()
    for unknown in (grants("king"), grants(scopes=frozenset({"events:all"})), grants()):
        with pytest.raises(ValueError, match=r"king|events:all|nothing is granted"):
            check_grants(unknown)
    assert check_grants(grants("siem")) == grants("siem")


def test_rows_by_site_source_and_role() -> None:
    narrow = grants("auditor", sites=frozenset({"b", "a"}), sources=frozenset({"PACS"}))
    assert rows_granted(narrow) == And(
        (
            Or((OWN_USE,)),
            Or((Term("site", "a"), Term("site", "b"))),
            Or((Term("node", "PACS"),)),
        )
    )
    assert rows_granted(grants("reviewer")) is None
    assert rows_granted(grants("auditor", scopes=frozenset({Scope.EVENTS_READ}))) is None


def test_a_token_asks_in_its_own_name() -> None:
    token = ApiToken(
        id="1", name="nightly", owner="mvoss", grants=grants("siem"), created_at=0, expires_at=1
    )
    principal = principal_of(token, kind="token", address="10.0.0.1", reason="case")
    assert (principal.name, principal.display_name, principal.kind) == (
        "nightly",
        "mvoss",
        "token",
    )
    assert (principal.roles, principal.reason, principal.address) == (
        ("siem",),
        "case",
        "10.0.0.1",
    )
    assert not principal.identified


def test_a_session_brings_its_reason_and_the_broken_glass() -> None:
    session = Session(
        id="1",
        name="mvoss",
        display_name="Mara Voss",
        grants=grants("investigator"),
        issuer="",
        emergency=True,
        reason="nobody else is here",
        address="",
        created_at=0,
        confirmed_at=0,
        used_at=0,
        ends_at=1,
    )
    principal = principal_of(session, kind="account")
    assert principal.emergency
    assert principal.identified
    assert principal.reason == "nobody else is here"
    assert principal_of(session, kind="account", reason="now").reason == "now"
    guest = Guest(name="g", display_name="G", grants=grants("auditor"), issuer="x")
    assert principal_of(guest, kind="account").rows == And((Or((OWN_USE,)),))
