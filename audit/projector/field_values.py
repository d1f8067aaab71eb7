"""FieldValues: the searchable values of one record while they are gathered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

TEXT = "text"


@dataclass(frozen=True, slots=True)
class Added:
    """What was gathered without bounds, to be added to many records.

    Attributes:
        values: by keyword field, in order, each once.
        count: of all values together, those that were named twice counted twice.
        longest: characters of the longest value.
        texts: for free-text search.
        text_chars: characters of all texts together.
    """

    values: Mapping[str, tuple[str, ...]]
    count: int
    longest: int
    texts: Mapping[str, None]
    text_chars: int


class FieldValues:
    """Values by field: in the order found, each once, without empty ones, within bounds.

    What goes beyond a bound is left out and ``is_cut`` says so, so that the record can carry a
    finding: a search that relies on a value beyond the bound would miss it.
    """

    def __init__(self, max_values: int, max_value_chars: int, max_text_chars: int) -> None:
        self._taken: dict[str, tuple[str, ...]] = {}
        """Fields of which all values were taken at once; a field is here or in ``_values``."""
        self._values: dict[str, dict[str, None]] = {}
        self._texts: dict[str, None] = {}
        self._max_values = max_values
        self._values_left = max_values
        """Below the bound of each field as long as all fields together are."""
        self._max_value_chars = max_value_chars
        self._longest = 0
        self._max_text_chars = max_text_chars
        self._text_chars_left = max_text_chars
        self.is_cut = False

    def _there(self, name: str) -> dict[str, None]:
        there = self._values.get(name)
        if there is None:
            there = self._values[name] = dict.fromkeys(self._taken.pop(name, ()))
        return there

    def add(self, name: str, *values: str | None) -> None:
        """Take values of a keyword field, trimmed."""
        for value in values:
            if value and (trimmed := value.strip()):
                self._add(self._there(name), trimmed)

    def _add(self, there: dict[str, None], value: str) -> None:
        self._values_left -= 1
        self._longest = max(self._longest, len(value))
        if len(value) > self._max_value_chars:
            self.is_cut = True
            value = value[: self._max_value_chars]
        if len(there) < self._max_values:
            there[value] = None
        elif value not in there:
            self.is_cut = True

    def add_text(self, values: Iterable[str | None]) -> None:
        """Take texts for free-text search, as long as the text bound allows."""
        there = self._texts
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

    def added(self) -> Added:
        """All that was taken, for ``take``."""
        return Added(
            self._all_values(),
            self._max_values - self._values_left,
            self._longest,
            self._texts,
            self._max_text_chars - self._text_chars_left,
        )

    def take(self, added: Added) -> None:
        """Take values that were gathered elsewhere, as if they had been added here one by one."""
        self._values_left -= added.count
        self._longest = max(self._longest, added.longest)
        if self._values_left < 0 or added.longest > self._max_value_chars:
            for name, values in added.values.items():
                self.add(name, *values)
        elif self._taken or self._values:
            self._take_beside(added.values)
        else:
            self._taken = {**added.values}

    def _take_beside(self, added: Mapping[str, tuple[str, ...]]) -> None:
        taken, own = self._taken, self._values
        for name, values in added.items():
            there = taken.get(name)
            if name in own:
                own[name].update(dict.fromkeys(values))
            elif there is None:
                taken[name] = values
            elif there != values:
                taken[name] = tuple(dict.fromkeys(there + values))

    def take_texts(self, added: Added) -> None:
        """Take texts that were gathered elsewhere; in order of weight, after all values."""
        if added.text_chars > self._text_chars_left:
            self.add_text(added.texts)
            return
        there = self._texts
        before = len(there)
        there.update(added.texts)
        if len(there) - before == len(added.texts):
            self._text_chars_left -= added.text_chars
        elif len(there) > before:
            new = islice(reversed(there), len(there) - before)
            self._text_chars_left -= sum(map(len, new))

    def values(self, name: str) -> tuple[str, ...]:
        """What a field holds so far."""
        there = self._texts if name == TEXT else self._values.get(name, ())
        return self._taken.get(name) or tuple(there)

    def fields(self) -> dict[str, tuple[str, ...]]:
        """All fields that hold something, the texts among them."""
        fields = self._all_values()
        if self._texts:
            fields[TEXT] = tuple(self._texts)
        return fields

    def _all_values(self) -> dict[str, tuple[str, ...]]:
        if not self._values:
            return self._taken.copy()
        own = {name: tuple(values) for name, values in self._values.items() if values}
        return self._taken | own
