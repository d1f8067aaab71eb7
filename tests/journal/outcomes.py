"""What callbacks of a group commit were told."""

import threading

from audit.errors import AuditError
from audit.journal.group_commit import CommitOptions

QUICK = CommitOptions(gather_delay_s=0.001, head_interval_s=0.02, room_poll_s=0.01)


class Outcomes:
    """Collects what callbacks were told."""

    def __init__(self) -> None:
        self.sequences: list[int] = []
        self.errors: list[AuditError] = []
        self.told = threading.Event()

    def done(self, sequence: int | None, error: AuditError | None) -> None:
        if sequence is not None:
            self.sequences.append(sequence)
        if error is not None:
            self.errors.append(error)
        self.told.set()
