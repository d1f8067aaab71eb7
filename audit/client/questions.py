"""Questions as the client takes them and as the API reads them."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypedDict

Question: TypeAlias = str | Mapping[str, Any]
"""A line of the query language, or a tree (docs/api.md)."""


class How(TypedDict, total=False):
    """How a question is asked; all are False by default.

    Attributes:
        include_repeats: byte-identical re-deliveries too.
        oldest_first: the other order.
        exact: by the names in the question alone; else patients and users are asked for by all
            their names, and a page's ``identities`` tell which were used.
    """

    include_repeats: bool
    oldest_first: bool
    exact: bool


def form_of(query: Question, *, exact: bool) -> dict[str, Any]:
    """The question, as text or as a tree."""
    asked = {"query": query} if isinstance(query, str) else {"where": dict(query)}
    return asked | {"identities": not exact}


def asked_of(query: Question, how: How) -> dict[str, Any]:
    """The question and how it is asked."""
    sort = "oldest" if how.get("oldest_first", False) else "newest"
    repeats = how.get("include_repeats", False)
    return form_of(query, exact=how.get("exact", False)) | {
        "include_repeats": repeats,
        "sort": sort,
    }
