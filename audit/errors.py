"""Every error this package raises on purpose, split by who is at fault and what to do.

    AuditError
    ├── SenderError               a peer sent something wrong; it is kept, its owner mends it
    │   ├── FrameError            the byte stream can't be cut into messages
    │   └── MalformedMessage      the message can't be parsed safely
    ├── RequestError              a caller asked for something wrong; change the request
    │   ├── QuerySyntaxError      the query has an error at a column
    │   ├── NotFound              nothing is known under that name
    │   └── Denied                the caller may not do this
    ├── ConfigurationError        the operator's settings don't fit; change them
    ├── ConnectionFailed          another machine or process can't be reached; try again later
    ├── StorageError              the disk or a store failed; nothing was promised
    │   ├── JournalUnavailable    no record can be made durable; stop taking data
    │   ├── JournalBusy           another writer holds it, or the queue is full
    │   └── IndexUnavailable      the search index can't answer; the journal still takes data
    └── EvidenceError             what was kept isn't what it was
        ├── IntegrityViolation    altered, missing or reordered
        └── IncompleteCheck       not everything could be checked

``exit_code`` is what the command line ends with (documented in docs/cli.md).
"""

from typing import ClassVar


class AuditError(Exception):
    """Base of every error raised on purpose; its text names what, where and what to do."""

    exit_code: ClassVar[int] = 1


class SenderError(AuditError):
    """A peer sent something wrong."""


class FrameError(SenderError):
    """The byte stream can't be cut into messages (RFC 5425 4.3, RFC 6587 3.4)."""


class MalformedMessage(SenderError):
    """The message can't be parsed safely.

    Attributes:
        line: one-based line of the fault, 0 when unknown.
        column: one-based column of the fault, 0 when unknown.
    """

    def __init__(self, text: str, line: int = 0, column: int = 0) -> None:
        super().__init__(text)
        self.line = line
        self.column = column


class RequestError(AuditError):
    """A caller asked for something wrong."""

    exit_code: ClassVar[int] = 2


class QuerySyntaxError(RequestError):
    """A query can't be read.

    Attributes:
        column: zero-based column of the query text at which the fault lies.
        pointer: JSON pointer to the fault, for a query that is a tree; else empty.
    """

    def __init__(self, text: str, column: int = 0, pointer: str = "") -> None:
        super().__init__(text)
        self.column = column
        self.pointer = pointer


class NotFound(RequestError):
    """Nothing is known under that name."""

    exit_code: ClassVar[int] = 1


class Denied(RequestError):
    """The caller may not do this."""

    exit_code: ClassVar[int] = 8


class ConfigurationError(AuditError):
    """The settings don't fit; the text names the setting, the value and the mend."""

    exit_code: ClassVar[int] = 6


class ConnectionFailed(AuditError):
    """Another machine or process can't be reached."""

    exit_code: ClassVar[int] = 7


class StorageError(AuditError):
    """The disk or a store failed."""

    exit_code: ClassVar[int] = 9


class JournalUnavailable(StorageError):
    """No record can be made durable; callers must stop taking data and must not answer."""


class JournalBusy(StorageError):
    """Another writer holds the journal, or its queue is full; callers wait or give up."""


class IndexUnavailable(StorageError):
    """The search index can't answer; intake goes on, searches fail with this."""

    exit_code: ClassVar[int] = 7


class EvidenceError(AuditError):
    """What was kept isn't what it was, or can't be shown to be."""


class IntegrityViolation(EvidenceError):
    """Something below a signed head is altered, missing or reordered."""

    exit_code: ClassVar[int] = 4


class IncompleteCheck(EvidenceError):
    """Not everything could be checked."""

    exit_code: ClassVar[int] = 5
