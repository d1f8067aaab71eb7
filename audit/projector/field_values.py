"""FieldValues: the searchable values of one record while they are gathered."""

from collections.abc import Iterable


class FieldValues:
    """Values by field: in the order found, each once, without empty ones, within bounds.

    What goes beyond a bound is left out and ``is_cut`` says so, so that the record can carry a
    finding: a search that relies on a value beyond the bound would miss it.
    """

    def __init__(self, max_values: int, max_value_chars: int, max_text_chars: int) -> None:
        self._values: dict[str, dict[str, None]] = {}
        self._max_values = max_values
        self._max_value_chars = max_value_chars
        self._text_chars_left = max_text_chars
        self.is_cut = False

    def add(self, name: str, *values: str | None) -> None:
        """Take values of a keyword field, trimmed."""
        there = self._values.setdefault(name, {})
        for value in values:
            trimmed = (value or "").strip()
            if not trimmed or trimmed in there:
                continue
            if len(there) >= self._max_values:
                self.is_cut = True
                return
            there[self._fitting(trimmed)] = None

    def _fitting(self, value: str) -> str:
        if len(value) > self._max_value_chars:
            self.is_cut = True
            return value[: self._max_value_chars]
        return value

    def add_text(self, values: Iterable[str | None]) -> None:
        """Take texts for free-text search, as long as the text bound allows."""
        there = self._values.setdefault("text", {})
        for value in values:
            trimmed = (value or "").strip()
            if not trimmed or trimmed in there:
                continue
            if self._text_chars_left <= 0:
                self.is_cut = True
                return
            if len(trimmed) > self._text_chars_left:
                self.is_cut = True
            there[trimmed[: self._text_chars_left]] = None
            self._text_chars_left -= len(trimmed)

    def values(self, name: str) -> tuple[str, ...]:
        """What a field holds so far."""
        return tuple(self._values.get(name, ()))

    def fields(self) -> dict[str, tuple[str, ...]]:
        """All fields that hold something."""
        return {name: tuple(values) for name, values in self._values.items() if values}
