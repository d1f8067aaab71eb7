"""The question of a request, as text or as a tree, in the one-line language."""

from collections.abc import Iterator
from contextlib import contextmanager

from audit.api.schemas import NamedQuestion, Question
from audit.errors import QuerySyntaxError
from audit.query.identities import Asked, ByAllNames
from audit.query.query_tree import written

_TREE = "#/where"


def by_names(asked: NamedQuestion, query: str) -> Asked:
    """The question by all names of whoever is named in it, unless those in it alone are meant."""
    return ByAllNames(query) if asked.identities else query


@contextmanager
def text_of(asked: Question) -> Iterator[str]:
    """The question as a line of text; faults found in it are told by where the caller wrote it.

    Raises:
        QuerySyntaxError: the question can't be read.
    """
    if asked.where is None:
        yield asked.query
        return
    try:
        query = written(asked.where)
    except QuerySyntaxError as error:
        raise QuerySyntaxError(str(error), pointer=_TREE + error.pointer) from error
    try:
        yield query.text
    except QuerySyntaxError as error:
        pointer = _TREE + query.pointer_at(error.column)
        raise QuerySyntaxError(str(error), pointer=pointer) from error
