"""A witness: cosigns a log's heads as long as each grows from the one before.

Source: C2SP tlog-witness. The newest head of a log is kept before its cosignature is given, so
that no two heads of diverging histories are ever cosigned.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from audit.errors import IntegrityViolation
from audit.journal.merkle import EMPTY_ROOT, is_consistent
from audit.journal.note import Checkpoint, VerifierKey, open_note, parse_checkpoint, split_note
from audit.journal.witness_key import Cosigner
from audit.journal.witness_protocol import Growth, parse_growth
from audit.journal.witness_store import WitnessStore

SIZE_MEDIA_TYPE = "text/x.tlog.size"
TEXT_MEDIA_TYPE = "text/plain; charset=utf-8"
MAX_REQUEST_OCTETS = 65_536
"""A request of 63 hashes and 64 signature lines stays far below it."""


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What the witness answers over HTTP."""

    status: HTTPStatus
    body: str
    media_type: str = TEXT_MEDIA_TYPE


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, body: str, media_type: str = TEXT_MEDIA_TYPE) -> None:
        super().__init__(body)
        self.answer = WitnessAnswer(status, f"{body}\n", media_type)


class Witness:
    """Answers ``add-checkpoint``. Safe for several threads.

    Args:
        store: its memory; one witness alone has it.
        cosigner: its own key, which is no log's.
        logs: keys of the logs that it watches, by name; one log may have several, old and new.
        clock: POSIX seconds.
    """

    def __init__(
        self,
        store: WitnessStore,
        cosigner: Cosigner,
        logs: Iterable[VerifierKey],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._cosigner = cosigner
        self._keys: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._keys.setdefault(key.name, []).append(key)
        self._clock = clock
        self._mutex = threading.Lock()

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Cosign the head if the log only grew; the answer of C2SP tlog-witness.

        200 with a cosignature line; 400 not a request, or the old size above the head's; 403 no
        valid signature of the log; 404 a log that isn't watched; 409 with the size that this
        witness has seen; 422 the path doesn't lead from that tree to the head.

        Raises:
            StorageError: its memory failed; nothing was cosigned.
        """
        try:
            growth, head = self._read(body)
            with self._mutex:
                return self._cosign(growth, head)
        except _Refused as refused:
            return refused.answer

    def _read(self, body: bytes) -> tuple[Growth, Checkpoint]:
        try:
            growth = parse_growth(body.decode())
            text, _ = split_note(growth.checkpoint)
            head = parse_checkpoint(text)
        except (UnicodeDecodeError, IntegrityViolation) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"not a request: {error}") from error
        keys = self._keys.get(head.origin)
        if keys is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "this witness does not watch that log")
        try:
            open_note(growth.checkpoint, keys)
        except IntegrityViolation as error:
            raise _Refused(HTTPStatus.FORBIDDEN, str(error)) from error
        if growth.old_size > head.size:
            raise _Refused(HTTPStatus.BAD_REQUEST, "the old size is above the checkpoint's")
        return growth, head

    def _cosign(self, growth: Growth, head: Checkpoint) -> WitnessAnswer:
        known = self._store.latest(head.origin) or Checkpoint(head.origin, 0, EMPTY_ROOT)
        if growth.old_size != known.size:
            raise _Refused(HTTPStatus.CONFLICT, str(known.size), SIZE_MEDIA_TYPE)
        old, new = (known.size, known.root), (head.size, head.root)
        if not is_consistent(old, new, growth.path):
            raise _Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"the head of size {head.size} did not grow from that of size {known.size}",
            )
        self._store.keep(head.origin, growth.checkpoint)
        line = self._cosigner.cosign(head.text, int(self._clock()))
        return WitnessAnswer(HTTPStatus.OK, line.text)
