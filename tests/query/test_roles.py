import pytest

from audit.index.criteria import Or, Term, matches
from audit.index.document import IndexedRecord
from audit.query.access import ALL_SCOPES, Scope
from audit.query.language import parse_query
from audit.query.roles import (
    OUTSIDE,
    OWN_USE,
    OWN_USE_QUERY,
    Role,
    all_roles,
    roles_named,
    rows_of,
    scopes_of,
)


def test_each_role_has_scopes_and_a_meaning() -> None:
    assert list(all_roles()) == [
        "reviewer",
        "investigator",
        "siem",
        "operator",
        "administrator",
        "auditor",
    ]
    for role in all_roles().values():
        assert role.scopes
        assert role.scopes < ALL_SCOPES
        assert role.meaning


def test_who_sees_patients_and_who_changes_accounts() -> None:
    roles = all_roles()
    seeing = [name for name in roles if Scope.PATIENTS_IDENTIFY in roles[name].scopes]
    assert seeing == ["investigator"]
    assert [name for name in roles if Scope.ADMIN in roles[name].scopes] == ["administrator"]
    for name in ("operator", "administrator"):
        assert Scope.EVENTS_READ not in roles[name].scopes


def test_own_use_is_the_same_in_the_query_language() -> None:
    asked = parse_query(OWN_USE_QUERY, now=0)
    assert not [
        (event, listener)
        for event in ("110101", "110100")
        for listener in (*OUTSIDE, "web", "internal", "own")
        if matches(OWN_USE, one := record(event, listener)) != matches(asked, one)
    ]


def record(event: str, listener: str) -> IndexedRecord:
    return IndexedRecord(
        id="x-0",
        sequence=0,
        time=0,
        received=0,
        fields={"event": (event,), "listener": (listener,)},
    )


def test_roles_add_up() -> None:
    roles = roles_named(("reviewer", "administrator", "reviewer"))
    assert [role.name for role in roles] == ["reviewer", "administrator"]
    assert scopes_of(roles) == roles[0].scopes | {Scope.ADMIN}
    assert scopes_of(()) == frozenset()


def test_an_unknown_role_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no role 'king'.*reviewer, investigator"):
        roles_named(("reviewer", "king"))


def test_rows_of_several_roles_are_those_of_any() -> None:
    assert rows_of(roles_named(("auditor",))) == Or((OWN_USE,))
    assert rows_of(roles_named(("auditor", "administrator"))) == Or((OWN_USE,))
    assert rows_of(roles_named(("auditor", "reviewer"))) is None
    assert rows_of(roles_named(("operator",))) is None
    narrow = Role(name="n", scopes=frozenset({Scope.EVENTS_READ}), rows=Term("a", "b"), meaning="")
    assert rows_of((narrow, *roles_named(("auditor",)))) == Or((Term("a", "b"), OWN_USE))
