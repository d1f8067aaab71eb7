"""Times as reports show them: to the second, for the record beside them has the rest."""

from audit.record.times import format_ns

_NS_PER_S = 1_000_000_000


def moment(ns: int) -> str:
    """The second in which a time lies, RFC 3339 in UTC."""
    return format_ns(ns - ns % _NS_PER_S)
