"""``arr import``."""

import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
from typing_extensions import override

from audit.cli.options import (
    data_option,
    examples,
    json_option,
    print_json,
    settings_from,
    visible,
)
from audit.errors import FrameError

if TYPE_CHECKING:
    from audit.service.take_in import TakeIn, TakenIn

_WORDS_OF_SOURCES = 500
"""Characters of the names of sources that the journal is told."""


class _Hashing:
    """Files whose octets are hashed, all together, as they are read."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._file: IO[bytes] | None = None

    def over(self, file: IO[bytes]) -> "_Hashing":
        """The next file."""
        self._file = file
        return self

    def read(self, count: int, /) -> bytes:
        """At most ``count`` octets of the file."""
        octets = b"" if self._file is None else self._file.read(count)
        self._digest.update(octets)
        return octets

    @override
    def __str__(self) -> str:
        return self._digest.hexdigest()


@click.command(
    "import",
    epilog=examples(
        "arr import archive-2019.log",
        "arr import old-server/ --reason 'trail of the former repository'",
        "arr simulate --events 100000 --format octet-counted | arr import -",
    ),
)
@click.argument("sources", nargs=-1, required=True)
@data_option
@click.option("--reason", default="", help="Why; kept in the journal.")
@json_option
def take_in(
    sources: tuple[str, ...],
    data: Path | None,
    config_file: Path | None,
    reason: str,
    as_json: bool,
) -> None:
    """Take in audit messages that were received elsewhere, however old they are.

    SOURCES are files, directories or - for standard input: syslog messages (one behind the other
    or octet-counted), XML, JSON or NDJSON. Records keep their own event time. Begin and end are
    journaled, with the SHA-256 of all octets read. Ends with 1 when a message was refused.
    """
    from audit.record.build import Alert
    from audit.service.operator import administering
    from audit.service.take_in import TakeIn, TakeInOptions

    settings = settings_from(data, config_file)
    files = [file for source in sources for file in _files(source)]
    what = f"Import of {', '.join(files)[:_WORDS_OF_SOURCES]}" + (f" ({reason})" if reason else "")
    longest = settings.syslog.max_message_octets
    hashing = _Hashing()
    complete = False
    with administering(settings) as administration:
        taking = TakeIn(administration.append_all, TakeInOptions(max_message_octets=longest))
        administration.record(f"{what} begins", Alert.SECURITY_CONFIGURATION)
        try:
            _take_files(taking, files, hashing, longest)
            complete = True
        finally:
            ended = "ended" if complete else "was cut short"
            administration.record(
                f"{what} {ended}: {_figures(taking.taken)}; SHA-256 of all octets read {hashing}",
                Alert.SECURITY_CONFIGURATION,
            )
    _print(taking.taken, str(hashing), as_json=as_json)
    if taking.taken.refused:
        sys.exit(1)


def _take_files(taking: "TakeIn", files: list[str], hashing: _Hashing, longest: int) -> None:
    from audit.query.message_stream import StreamLimits, stream_messages

    limits = StreamLimits(max_message_octets=longest)
    for name in files:
        with click.open_file(name, "rb") as file:
            try:
                taking.take(name, stream_messages(hashing.over(file), limits))
            except FrameError as error:
                raise FrameError(f"{name}: {error}") from error


def _files(source: str) -> list[str]:
    from audit.query.message_sources import files_below

    return [source] if source == "-" else [str(file) for file in files_below(Path(source))]


def _figures(taken: "TakenIn") -> str:
    words = f"{taken.messages} messages of {taken.octets} octets"
    if taken.first is not None:
        words += f", sequences {taken.first} to {taken.last}"
    return words + (f"; {taken.refused} refused" if taken.refused else "")


def _print(taken: "TakenIn", digest: str, *, as_json: bool) -> None:
    for refusal in taken.refusals:
        click.echo(f"arr: refused: {visible(refusal)}", err=True)
    if as_json:
        print_json(asdict(taken) | {"sha256": digest})
    else:
        click.echo(f"{_figures(taken)}; SHA-256 of all octets read {digest}")
