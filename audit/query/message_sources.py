"""Octets of a file or a pipe → single messages, whatever wraps them.

Bare XML (one or several documents), JSON (one or several objects, or one to a line as NDJSON),
syslog messages one after the other, and octet-counted streams (RFC 5425) are told apart by their
beginning.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.errors import FrameError, NotFound
from audit.frame.non_transparent import NonTransparentDecoder
from audit.frame.octet_counting import Frame, OctetCountingDecoder

_BOM = b"\xef\xbb\xbf"
_COUNTED = re.compile(rb"[1-9][0-9]{0,9} (?:<[0-9]{1,3}>|(?:\xef\xbb\xbf)?(?:<[?A!]|\{))")
_SYSLOG = re.compile(rb"\s*<[0-9]{1,3}>")
_MOST_BETWEEN = 4_096
"""Octets between two messages, beyond which the second one's place isn't looked for."""
_BETWEEN = re.compile(rb"(?<=</AuditMessage>)\s+(?=(?:\xef\xbb\xbf)?<(?:\?xml|AuditMessage))")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
_NDJSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{[^\n]*\}[ \t\r]*\n\s*\{")
_BETWEEN_OBJECTS = re.compile(rb"(?<=\n\})\s+(?=\{)")


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """One message of a source.

    Attributes:
        source: file name or ``-``; with ``#n`` behind it when the source holds several. Octets of
            a name that are no text are replaced.
        raw: the octets, with their syslog header if there is one.
        is_syslog: whether a syslog header is to be expected.
        original_length: octets before cutting; more than ``len(raw)`` when it was cut off.
        file: the source without number.
        line: where the message begins in the source, one-based.
        column: characters before it in that line.
    """

    source: str
    raw: bytes
    is_syslog: bool
    original_length: int
    file: str = ""
    line: int = 1
    column: int = 0


def messages_of(source: str, octets: bytes) -> Iterator[SourceMessage]:
    """Every message of the octets, in order; at least one, even of an empty source.

    What follows the place where an octet-counted stream can't be cut is one more message.
    """
    found = list(_cut(octets))
    at, place = 0, (1, 0)
    shown = source.encode(errors="surrogateescape").decode(errors="replace")
    for number, (frame, is_syslog) in enumerate(found, start=1):
        name = shown if len(found) == 1 else f"{shown}#{number}"
        begin = _beginning(octets, frame, at)
        place = advanced(place, octets[at:begin])
        yield SourceMessage(name, frame.octets, is_syslog, frame.original_length, source, *place)
        at = begin + frame.original_length
        place = advanced(place, octets[begin:at])


def _beginning(octets: bytes, frame: Frame, at: int) -> int:
    """Where the frame's octets stand, at or soon after ``at``."""
    begin = octets.find(frame.octets, at, at + len(frame.octets) + _MOST_BETWEEN)
    return max(begin, at)


def advanced(place: tuple[int, int], octets: bytes) -> tuple[int, int]:
    """Line (one-based) and column (characters before) after the octets."""
    line, column = place
    before, newline, last = octets.rpartition(b"\n")
    characters = len(last.decode(errors="replace"))
    if not newline:
        return line, column + characters
    return line + before.count(b"\n") + 1, characters


def is_octet_counted(octets: bytes) -> bool:
    """Whether a stream that begins so is octet-counted (RFC 5425 4.3)."""
    return _COUNTED.match(octets) is not None


def is_syslog(octets: bytes) -> bool:
    """Whether a stream that begins so holds syslog messages one behind the other."""
    return _SYSLOG.match(octets) is not None


def _cut(octets: bytes) -> Iterator[tuple[Frame, bool]]:
    if is_octet_counted(octets):
        for frame in _octet_counted(octets):
            yield frame, is_syslog(frame.octets)
    elif is_syslog(octets):
        decoder = NonTransparentDecoder()
        for frame in (*decoder.feed(octets.lstrip()), *decoder.finish()):
            yield frame, True
    else:
        for part in _bare(octets):
            yield Frame(part, len(part)), False


def _bare(octets: bytes) -> list[bytes]:
    """Documents without a header: XML or JSON, one or several."""
    if not _JSON.match(octets):
        return _BETWEEN.split(octets)
    if _NDJSON.match(octets):
        return [line for line in octets.split(b"\n") if line.strip()]
    return _BETWEEN_OBJECTS.split(octets)


def _octet_counted(octets: bytes) -> Iterator[Frame]:
    decoder = OctetCountingDecoder()
    frames: list[Frame] = []
    try:
        frames += decoder.feed(octets)
        frames += decoder.finish()
    except FrameError:
        frames += _rest(octets[_consumed(octets, frames) :])
    yield from frames


def _rest(octets: bytes) -> list[Frame]:
    """What stands where the stream can't be cut: a message without its end, or anything."""
    begun = _COUNTED.match(octets)
    if not begun:
        return [Frame(octets, len(octets))] if octets.strip() else []
    count, _, message = octets.partition(b" ")
    return [Frame(message, max(int(count), len(message)))]


def _consumed(octets: bytes, frames: list[Frame]) -> int:
    at = 0
    for frame in frames:
        at = octets.index(b" ", at) + 1 + frame.original_length
    return at


def read_sources(
    paths: list[str],
    standard_input: bytes = b"",
    unread: Callable[[str], None] | None = None,
) -> Iterator[SourceMessage]:
    """Every message of files, of all files below directories, and of standard input (``-``).

    Args:
        paths: in the order of reading; of a directory, files and folders whose name begins with a
            dot are left out, unless they are named themselves.
        standard_input: what ``-`` stands for.
        unread: is told, in words, what can't be read; the rest is read all the same.

    Raises:
        NotFound: a path can't be read, and ``unread`` is None.
    """
    for path in paths:
        if path == "-":
            yield from messages_of("-", standard_input)
            continue
        for file, octets in _contents(Path(path), unread or _raise):
            yield from messages_of(str(file), octets)


def _raise(said: str) -> None:
    raise NotFound(said)


def _contents(path: Path, unread: Callable[[str], None]) -> Iterator[tuple[Path, bytes]]:
    try:
        files = [file for file in files_below(path) if not _is_hidden(file.relative_to(path))]
    except NotFound as fault:
        unread(str(fault))
        return
    if not files:
        unread(f"no file in {path}")
    for file in files:
        try:
            octets = file.read_bytes()
        except OSError as fault:
            unread(f"{file}: {fault.strerror}")
        else:
            yield file, octets


def _is_hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def files_below(path: Path) -> Iterator[Path]:
    """The file or pipe itself, or all files below a directory in order of their names.

    Raises:
        NotFound: it is neither.
    """
    if path.is_dir():
        yield from sorted(one for one in path.rglob("*") if one.is_file())
    elif path.exists():
        yield path
    else:
        raise NotFound(f"no file or directory: {path}")
