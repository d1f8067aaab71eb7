"""Storage commitment (PS3.4 J): the archive promises to keep what it holds.

The result goes back in an association of its own, as most archives do it, so that the answer to
the request doesn't wait for it.
"""

from queue import Empty, Queue
from threading import Event, Thread
from typing import Final, NamedTuple

from pydicom.dataset import Dataset
from pynetdicom import build_role, evt

from audit.errors import ConnectionFailed
from audit.nodes.callers import ae_title_of
from audit.nodes.calls import Line, Peer
from audit.nodes.facts import text_of
from audit.nodes.registry import AeRegistry, station_named
from audit.nodes.sop_classes import COMMITMENT, COMMITMENT_INSTANCE, contexts_of
from audit.nodes.study_store import StudyStore

REQUEST_TYPE: Final = 1
ALL_KEPT: Final = 1
SOME_MISSING: Final = 2
NO_SUCH_OBJECT: Final = 0x0112
"""Failure reason of PS3.4 J.3.3."""
PROCESSING_FAILURE: Final = 0x0110
RESOURCE_LIMITATION: Final = 0x0213
MAX_WAITING: Final = 100
POLL_S: Final = 0.1
LAST_REPORT_S: Final = 0.3


class _Due(NamedTuple):
    peer: Peer
    report: Dataset


class Commitments:
    """Takes requests (N-ACTION) and reports results (N-EVENT-REPORT) from a thread of its own."""

    def __init__(self, store: StudyStore, line: Line, registry: AeRegistry) -> None:
        self._store = store
        self._line = line
        self._registry = registry
        self._due: Queue[_Due] = Queue(MAX_WAITING)
        self._stopping = Event()
        self._thread = Thread(target=self._report_all, name="storage commitment", daemon=True)

    def start(self) -> None:
        """Begin to report results."""
        self._thread.start()

    def stop(self) -> None:
        """Report no more; a report under way may end within a moment."""
        self._stopping.set()
        self._thread.join(LAST_REPORT_S)

    def requested(self, event: evt.Event) -> tuple[int, Dataset | None]:
        """Handler of N-ACTION: refused when the result could not be reported back."""
        title = ae_title_of(event.assoc)
        station, address = station_named(title), self._registry.address_of(title)
        if event.action_type != REQUEST_TYPE or station is None or address is None:
            return PROCESSING_FAILURE, None
        if self._due.full():
            return RESOURCE_LIMITATION, None
        report = self._result(event.action_information)
        self._due.put(_Due(Peer(station, *address), report))
        return 0x0000, None

    def _result(self, request: Dataset) -> Dataset:
        kept: list[Dataset] = []
        missing: list[Dataset] = []
        for item in request.get("ReferencedSOPSequence") or ():
            held = self._store.holds(text_of(item, "ReferencedSOPInstanceUID"))
            (kept if held else missing).append(_reference(item, held=held))
        report = Dataset()
        report.TransactionUID = request.TransactionUID
        if kept:
            report.ReferencedSOPSequence = kept
        if missing:
            report.FailedSOPSequence = missing
        return report

    def _report_all(self) -> None:
        while not self._stopping.is_set():
            try:
                due = self._due.get(timeout=POLL_S)
            except Empty:
                continue
            self._report(due)

    def _report(self, due: _Due) -> None:
        """One result; a requestor that is gone by now asks again later, as the standard has it."""
        role = build_role(COMMITMENT, scp_role=True)
        kind = SOME_MISSING if "FailedSOPSequence" in due.report else ALL_KEPT
        try:
            with self._line.to(due.peer, contexts_of([COMMITMENT]), negotiation=[role]) as link:
                link.send_n_event_report(due.report, kind, COMMITMENT, COMMITMENT_INSTANCE)
        except (ConnectionFailed, RuntimeError, ValueError):
            return


def _reference(item: Dataset, *, held: bool) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = text_of(item, "ReferencedSOPClassUID")
    reference.ReferencedSOPInstanceUID = text_of(item, "ReferencedSOPInstanceUID")
    if not held:
        reference.FailureReason = NO_SUCH_OBJECT
    return reference
