"""Server-sent events, as the live tail sends them (WHATWG HTML 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event.

    Attributes:
        kind: its name, ``message`` when it has none.
        data: its lines, joined.
        id: the id that stands for the place in the stream, its own or the last one before it.
    """

    kind: str
    data: str
    id: str


def events_in(lines: Iterable[str]) -> Iterator[StreamEvent]:
    """The events of a stream of lines; one that isn't ended by an empty line never happened."""
    kind, data, place = "", list[str](), ""
    for line in lines:
        if not line:
            if data:
                yield StreamEvent(kind or "message", "\n".join(data), place)
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id" and "\0" not in value:
            place = value
