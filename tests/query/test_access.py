import pytest

from audit.errors import Denied
from audit.query.access import (
    ALL_SCOPES,
    READ_SCOPES,
    Principal,
    Scope,
    require,
    scopes_named,
)


def test_a_scope_allows_its_own_act_and_no_other() -> None:
    reader = Principal("mvoss", scopes=frozenset({Scope.EVENTS_READ}))
    require(reader, Scope.EVENTS_READ)
    for scope in ALL_SCOPES - {Scope.EVENTS_READ}:
        assert not reader.may(scope)
        with pytest.raises(Denied, match=scope):
            require(reader, scope)


def test_scopes_as_stored_are_scopes() -> None:
    assert Principal("m", scopes=frozenset({"events:raw"})).may(Scope.EVENTS_RAW)
    assert scopes_named(frozenset({"events:raw", "admin"})) == {Scope.EVENTS_RAW, Scope.ADMIN}
    with pytest.raises(ValueError, match="events:all"):
        scopes_named(frozenset({"events:all"}))


def test_reading_scopes_change_nothing() -> None:
    assert READ_SCOPES < ALL_SCOPES
    assert not READ_SCOPES & {Scope.ADMIN, Scope.EVENTS_WRITE, Scope.OPERATE}
