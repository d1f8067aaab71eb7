"""How the results of a review are shown: order, repeats, rows, page. None of it names anybody."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from audit.dashboard.query_form import NON_IDENTIFYING

ROWS = (25, 50, 100)
"""How many rows a page may have; the site's own number is allowed as well."""


@dataclass(frozen=True, slots=True)
class ReviewView:
    """What stands in the address of a review beside its path.

    Attributes:
        oldest: the oldest first.
        repeats: byte-identical re-deliveries are shown too.
        rows: results on a page.
        usual_rows: when the address says nothing of it.
        after: opaque cursor of the page before; empty for the first.
        names: patients and users are asked for by all their names.
        more: the field of which many values are listed beside the results.
        link: harmless filters of a link of ours.
    """

    oldest: bool = False
    repeats: bool = False
    rows: int = 50
    usual_rows: int = 50
    after: str = ""
    names: bool = True
    more: str = ""
    link: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, parameters: Mapping[str, str], usual_rows: int) -> "ReviewView":
        """From parameters of an address or fields of a form; what is none of ours is ignored."""
        rows = parameters.get("rows", "")
        known = {str(one): one for one in (*ROWS, usual_rows)}
        return cls(
            oldest=parameters.get("sort") == "oldest",
            repeats=parameters.get("repeats") == "shown",
            rows=known.get(rows, usual_rows),
            usual_rows=usual_rows,
            after=parameters.get("after", ""),
            names=parameters.get("names") != "exact",
            more=parameters.get("more", ""),
            link=tuple((n, parameters[n]) for n in NON_IDENTIFYING if parameters.get(n)),
        )

    def parameters(self) -> dict[str, str]:
        """Those that are not as usual, without filters."""
        asked = {
            "sort": "oldest" if self.oldest else "",
            "repeats": "shown" if self.repeats else "",
            "rows": "" if self.rows == self.usual_rows else str(self.rows),
            "names": "" if self.names else "exact",
            "more": self.more,
            "after": self.after,
        }
        return {name: value for name, value in asked.items() if value}

    def address(self, path: str) -> str:
        """A first page under another path: order, repeats and rows stay as they are."""
        return _with(path, replace(self, after="", more="", link=()).parameters())

    def changed(self, path: str, **changes: str | int | bool) -> str:
        """The address of the same results, shown otherwise; without ``after`` the first page."""
        view = replace(self, **({"after": ""} | changes))  # type: ignore[arg-type]  # its fields
        return _with(path, dict(view.link) | view.parameters())


def _with(path: str, parameters: Mapping[str, str]) -> str:
    return path + (f"?{urlencode(parameters)}" if parameters else "")
