"""What each route declares of itself: the scopes it needs, and what its answer leaves on record.

Both stand in the OpenAPI document (``x-required-scope``, ``x-audit-record``); tests hold every
route to what it declares, and fail for one that declares nothing.
"""

from enum import StrEnum
from typing import Any

from audit.query.access import Scope

SCOPES = "x-required-scope"
RECORD = "x-audit-record"


class Leaves(StrEnum):
    """What an answer has left in the journal before it is given; without it the answer is 503."""

    LOOK = "look"
    """One Audit Log Used (PS3.15 A.5.3.2) each time."""
    USE = "use"
    """One Audit Log Used for a use that goes on, however often it is asked for."""
    EXPORT = "export"
    """Two Audit Log Used: one before anything is given, one at the end."""
    CHANGE = "change"
    """One Security Alert (PS3.15 A.5.3.11) before it is changed."""
    SIGN_IN = "sign-in"
    """One User Authentication (PS3.15 A.5.3.12), whether it succeeds or not."""
    RECORDS = "records"
    """The records that it was given."""
    NOTHING = "nothing"
    """Nothing: it shows and changes nothing of the trail or of others."""


def scoped(*scopes: Scope, leaves: Leaves = Leaves.LOOK) -> dict[str, Any]:
    """Of a route for whoever is signed in or has a valid token, and holds all these scopes."""
    return {SCOPES: " ".join(scopes), RECORD: str(leaves)}


def open_to_all(leaves: Leaves = Leaves.NOTHING) -> dict[str, Any]:
    """Of a route that anybody may ask, as it shows nothing of the trail or of anybody."""
    return {SCOPES: None, RECORD: str(leaves)}
