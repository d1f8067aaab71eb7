"""What every stretch of the ingest measurement shares: how much is sent, by whom."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.bench.progress import Progress, untold
from audit.bench.repository import LOOPBACK, Site
from audit.bench.senders import SenderPlan, Senders

CAUGHT_UP_WITHIN_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How much is sent.

    Attributes:
        seconds: how long each stretch sends.
        senders: processes, each with a connection of its own.
        workers: worker processes of the projector; None for one a core.
        messages: different messages of each sender.
        folder: where the temporary folder is made.
        elasticsearch: an Elasticsearch of this machine that rsyslog writes to, for comparison.
        sustain: records of one more stretch, measured tenth by tenth; 0 for none.
        progress: told how far that stretch is.
    """

    seconds: float = 10.0
    senders: int = 4
    workers: int | None = None
    messages: int = 10_000
    folder: Path | None = None
    elasticsearch: str | None = None
    sustain: int = 0
    progress: Progress = untold


def plans(options: IngestOptions, site: Site, port: int) -> list[SenderPlan]:
    """What each sender does, towards that port."""
    return [
        SenderPlan(
            host=LOOPBACK,
            port=port,
            tls=site.client_tls(),
            seed=number + 1,
            messages=options.messages,
        )
        for number in range(options.senders)
    ]


def warm_up(senders: Senders) -> None:
    """Connect all, and let every process load what it needs."""
    senders.send(1)
