"""Instances sent for a C-MOVE or C-GET: which arrived, told once at the end."""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RSP

PENDING: Final = 0xFF00
CANCELLED: Final = 0xFE00
WARNINGS: Final = (0xB000, 0xB006, 0xB007)

Step = tuple[int, Dataset | None]


class Delivery:
    """Sends instances one by one; ``began`` is called before the first, ``ended`` after the last.

    ``ended`` gets what arrived and what didn't, also when the association breaks or can't be made.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        began: Callable[[Sequence[Dataset]], None],
        ended: Callable[[Sequence[Dataset], Sequence[Dataset]], None],
    ) -> None:
        self._datasets = datasets
        self._began = began
        self._ended = ended
        self._stored: list[bool] = []

    def answered(self, event: evt.Event) -> None:
        """Bound to EVT_DIMSE_RECV: an answer to one of our C-STOREs came."""
        if isinstance(event.message, C_STORE_RSP):
            status = event.message.command_set.Status
            self._stored.append(status == 0 or status in WARNINGS)

    def steps(self, event: evt.Event) -> Iterator[int | Step]:
        """What a C-MOVE or C-GET handler yields: the count, then status and instance for each."""
        try:
            yield len(self._datasets)
            self._began(self._datasets)
            for dataset in self._datasets:
                if event.is_cancelled:
                    yield CANCELLED, None
                    return
                yield PENDING, dataset
        finally:
            self._tell()

    def _tell(self) -> None:
        outcomes = list(zip_longest(self._datasets, self._stored[: len(self._datasets)]))
        arrived = [dataset for dataset, stored in outcomes if stored]
        missed = [dataset for dataset, stored in outcomes if not stored]
        if self._datasets:
            self._ended(arrived, missed)
