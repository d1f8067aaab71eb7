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
        for value in values:
            if value and (trimmed := value.strip()):
                self._add(self._values.setdefault(name, {}), trimmed)

    def _add(self, there: dict[str, None], value: str) -> None:
        if len(value) > self._max_value_chars:
            self.is_cut = True
            value = value[: self._max_value_chars]
        if len(there) < self._max_values:
            there[value] = None
        elif value not in there:
            self.is_cut = True

    def add_text(self, values: Iterable[str | None]) -> None:
        """Take texts for free-text search, as long as the text bound allows."""
        there = self._values.setdefault("text", {})
        for value in values:
            if not value or value in there or not (trimmed := value.strip()):
                continue
            if len(trimmed) > self._text_chars_left:
                self.is_cut = True
                trimmed = trimmed[: self._text_chars_left]
            if not trimmed:
                return
            there[trimmed] = None
            self._text_chars_left -= len(trimmed)

    def values(self, name: str) -> tuple[str, ...]:
        """What a field holds so far."""
        return tuple(self._values.get(name, ()))

    def fields(self) -> dict[str, tuple[str, ...]]:
        """All fields that hold something."""
        return {name: tuple(values) for name, values in self._values.items() if values}
