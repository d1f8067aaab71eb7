"""One generation of the embedded index: its name, its key, the position that it holds.

A name is FORMAT-RANDOM, or FORMAT-RANDOM-encrypted: what a generation is told by its name can't be
lost with a file in it.
"""

import secrets
from pathlib import Path
from typing import Final

import apsw

from audit.index.sqlite_key import IndexKeys, create_data_key, read_data_key
from audit.index.sqlite_schema import ANSWERING, FORMAT, connect

HEAD: Final = "head.db"
KEY: Final = "key"

_ENCRYPTED: Final = "encrypted"


def new_name(*, encrypted: bool) -> str:
    """A name that no generation has."""
    words = (str(FORMAT), secrets.token_hex(4), *((_ENCRYPTED,) if encrypted else ()))
    return "-".join(words)


def format_of(name: str) -> int | None:
    """The format of the files in a generation of this name; None when it is no such name."""
    number = name.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def answers(name: str) -> bool:
    """Whether this version reads and writes the files in a generation of this name."""
    return format_of(name) in ANSWERING


def why_outdated(name: str, keys: IndexKeys) -> str:
    """Why a generation that answers is to be built anew; empty when it is as new ones are."""
    if format_of(name) != FORMAT:
        return f"its files have format {format_of(name)}, new ones {FORMAT}"
    if keys.current is not None and not is_encrypted(name):
        return "a key is configured, and it lies in plain"
    return ""


def is_encrypted(name: str) -> bool:
    """Whether the files in a generation of this name are encrypted."""
    return name.endswith(f"-{_ENCRYPTED}")


def create_generation(folder: Path, keys: IndexKeys) -> tuple[Path, bytes | None]:
    """Make an empty generation in a folder, encrypted when there is a key; it and its key."""
    generation = folder / new_name(encrypted=keys.current is not None)
    generation.mkdir(mode=0o700)
    key = create_data_key(generation / KEY, keys.current) if keys.current else None
    head = connect(generation / HEAD, key, new=True)
    head.execute("PRAGMA journal_mode = WAL").fetchall()
    head.execute(
        "CREATE TABLE head(position INTEGER NOT NULL); INSERT INTO head VALUES(0)"
    ).fetchall()
    head.close()
    return generation, key


def key_in(generation: Path, keys: IndexKeys) -> bytes | None:
    """The key of a generation's files; None when they are plain.

    Raises:
        IndexUnavailable: it can't be had.
    """
    return read_data_key(generation / KEY, keys) if is_encrypted(generation.name) else None


def connect_head(generation: Path, key: bytes | None) -> apsw.Connection:
    """The file that holds the position, each change of it on disk when it returns."""
    head = connect(generation / HEAD, key)
    head.execute("PRAGMA synchronous = FULL")
    return head
