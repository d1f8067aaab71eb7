"""Finds the value behind a pseudonym, so that somebody who sees pseudonyms can search by them."""

import re
from threading import Lock

from audit.index.port import SearchIndex
from audit.query.disguise import Disguise, field_level, is_protected

_FORM = re.compile("(?P<kind>[a-z]+)-[a-z2-7]{16}")


class PseudonymSearch:
    """Undoes pseudonyms by trying the values that the index knows. Safe for several threads.

    Args:
        index: whose values are tried.
        disguise: makes pseudonyms.
        most: values of one field that are tried; beyond, a pseudonym may stay unknown.
    """

    def __init__(self, index: SearchIndex, disguise: Disguise, most: int) -> None:
        self._index = index
        self._disguise = disguise
        self._most = most
        self._lock = Lock()
        self._known: dict[str, dict[str, str]] = {}
        self._tried_at: dict[str, int] = {}

    def value(self, field: str, pseudonym: str) -> str | None:
        """The folded value of the field behind the pseudonym; None for anything else.

        The values of a field are read again only when there are new records and the pseudonym
        isn't among those read before.
        """
        named = _FORM.fullmatch(pseudonym.strip().lower())
        if named is None or not is_protected(field):
            return None
        if named["kind"] != field_level().kinds.get(field):
            return None
        with self._lock:
            found = self._known.get(field, {}).get(named[0])
            position = self._index.position()
            if found is None and self._tried_at.get(field) != position:
                self._read(field)
                self._tried_at[field] = position
                found = self._known[field].get(named[0])
            return found

    def _read(self, field: str) -> None:
        values = self._index.distinct(field, "", self._most)
        self._known[field] = {self._disguise.of(field, value): value for value in values}
