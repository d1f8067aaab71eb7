"""Copies signed heads to places outside, where whoever alters the journal can't reach them.

A head is only added where every head that is there already leads to it. So a journal that was
rolled back can't hide behind a smaller head, and says so instead.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from audit.errors import ConnectionFailed, IntegrityViolation, RequestError, StorageError
from audit.journal.identity import Identity
from audit.journal.note import Checkpoint
from audit.journal.proof import prove_growth
from audit.journal.verify_heads import signed_head
from audit.service.publish_http import HttpAnswer, HttpOptions, ask

HEAD_SUFFIX = ".checkpoint"
TIMESTAMP_SUFFIX = ".tsr"
_SIZE_DIGITS = 20
_OK = range(200, 300)
_ABSENT = (404, 410)
_MEDIA_TYPE = "text/plain; charset=utf-8"


class Outlet(Protocol):
    """A place outside that holds heads of one log."""

    def newest(self) -> str | None:
        """The newest head there; None when there is none or it can't be asked for."""

    def add(self, head: Checkpoint, note: str) -> str:
        """Put a newer head there; where it is now."""


def publish(journal_dir: Path, identity: Identity, note: str, outlet: Outlet) -> str:
    """Put the head outside if it is newer than what is there; where it is.

    Args:
        journal_dir: the journal, for the consistency proof.
        identity: whose heads these are.
        note: the journal's newest head.
        outlet: where to.

    Raises:
        IntegrityViolation: the head outside is larger, of another history, or of another log: the
            journal was cut or rewritten, or the place belongs to somebody else.
        ConnectionFailed: the place can't be reached.
        StorageError: it can't be written.
    """
    head = signed_head(note, identity)
    kept = outlet.newest()
    if kept is not None:
        old = signed_head(kept, identity)
        keys = [key.verifier for key in identity.keys]
        prove_growth(journal_dir, keys, old.size, note).check(old, keys)
    return outlet.add(head, note)


class FolderOutlet:
    """A folder, on another machine or a write-once medium; one file a head, never overwritten."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder = folder
        self._origin = origin

    def path(self, head: Checkpoint, suffix: str = HEAD_SUFFIX) -> Path:
        """The file of a head."""
        return self._folder / f"{self._origin}-{head.size:0{_SIZE_DIGITS}d}{suffix}"

    def newest(self) -> str | None:
        """The head of the largest size that a name tells."""
        try:
            path = max(self._folder.glob(f"{self._origin}-*{HEAD_SUFFIX}"), default=None)
            return None if path is None else path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise IntegrityViolation("the newest head in the folder is damaged") from error
        except OSError as error:
            raise StorageError(f"{self._folder} can't be read: {error}") from error

    def add(self, head: Checkpoint, note: str) -> str:
        """Put a newer head there; one of the same size is kept as it is."""
        path = self.path(head)
        if not path.exists():
            self.put(path, note.encode())
        return str(path)

    def put(self, path: Path, content: bytes) -> None:
        """The whole file, durable, under a name that nothing had before.

        Raises:
            StorageError: it can't be written.
        """
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            _name_once(unfinished, path)
            _sync_folder(self._folder)
        except OSError as error:
            raise StorageError(f"{path} can't be written: {error}") from error
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


class PutOutlet:
    """A resource that always holds the newest head; replaced only if it still is what it was."""

    def __init__(self, url: str, options: HttpOptions) -> None:
        self._url = url
        self._options = options
        self._condition: dict[str, str] = {}

    def newest(self) -> str | None:
        """What is there now."""
        answer = ask("GET", self._url, self._options)
        if answer.status in _ABSENT:
            self._condition = {"If-None-Match": "*"}
            return None
        _require_ok(self._url, answer)
        tag = answer.headers.get("etag")
        self._condition = {} if tag is None else {"If-Match": tag}
        try:
            return answer.body.decode()
        except UnicodeDecodeError as error:
            raise IntegrityViolation(f"{self._url} holds no head") from error

    def add(self, head: Checkpoint, note: str) -> str:  # noqa: ARG002 - the note says it
        """Replace it."""
        headers = {"Content-Type": _MEDIA_TYPE} | self._condition
        _require_ok(self._url, ask("PUT", self._url, self._options, note.encode(), headers))
        return self._url


class PostOutlet:
    """A collector that takes each head and never gives one back."""

    def __init__(self, url: str, options: HttpOptions) -> None:
        self._url = url
        self._options = options

    def newest(self) -> str | None:
        """Unknown."""
        return None

    def add(self, head: Checkpoint, note: str) -> str:  # noqa: ARG002 - the note says it
        """Send it."""
        headers = {"Content-Type": _MEDIA_TYPE}
        _require_ok(self._url, ask("POST", self._url, self._options, note.encode(), headers))
        return self._url


def outlet_for(target: str, origin: str, options: HttpOptions) -> Outlet:
    """The place that a text names: a folder, an ``http`` URL to PUT to, or ``post:URL``.

    Raises:
        RequestError: a URL of another kind.
    """
    if target.startswith(("post:http://", "post:https://")):
        return PostOutlet(target.removeprefix("post:"), options)
    if target.startswith(("http://", "https://")):
        return PutOutlet(target, options)
    if "://" in target:
        raise RequestError(
            f"{target}: heads go to a folder, to http(s)://… or to post:http(s)://…"
        )
    return FolderOutlet(Path(target), origin)


def _require_ok(url: str, answer: HttpAnswer) -> None:
    if answer.status not in _OK:
        raise ConnectionFailed(f"{url} answered {answer.status}")


def _name_once(unfinished: Path, path: Path) -> None:
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return
    except OSError:
        # No hard links there; the name tells log and size, so nothing else can have it.
        unfinished.rename(path)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
