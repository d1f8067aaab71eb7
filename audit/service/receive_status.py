"""The receive process's numbers for /metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.service.metrics import counter, gauge, labelled, render
from audit.transport.arrival import Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveFigures:
    """What the receive process counts; always received = journaled + refused + in flight."""

    counters: Counters
    durable_count: int
    queued_octets: int
    refusals: Mapping[str, int]
    clock_synchronised: bool
    sealed_segments: int = 0


def receive_metrics(figures: ReceiveFigures) -> str:
    """Prometheus text of the receive process."""
    counts = figures.counters
    return render(
        (
            counter("arr_messages_received", "messages begun to be taken", counts.received),
            counter("arr_messages_journaled", "messages made durable", counts.journaled),
            counter("arr_messages_refused", "messages not made durable", counts.refused),
            gauge("arr_messages_in_flight", "received, not yet durable", counts.in_flight),
            counter("arr_messages_truncated", "kept as their head only", counts.truncated),
            counter("arr_bytes_received", "octets of messages received", counts.received_octets),
            counter("arr_datagrams_received", "messages that came by UDP", counts.datagrams),
            counter(
                "arr_datagrams_dropped_by_kernel",
                "datagrams that never reached us",
                counts.kernel_dropped_datagrams,
            ),
            counter("arr_connections_accepted", "connections, ever", counts.connections_accepted),
            gauge("arr_connections", "connections now", counts.connections_open),
            counter("arr_connections_limited", "closed for a limit", counts.connections_limited),
            counter("arr_connections_idle", "closed for silence", counts.connections_idle),
            counter(
                "arr_tls_handshake_failures", "peers not authenticated", counts.handshakes_refused
            ),
            labelled(
                counter("arr_refusals", "connections and messages refused, by kind", 0),
                "kind",
                sorted(figures.refusals.items()),
            ),
            gauge("arr_journal_seq", "durable journal entries", figures.durable_count),
            gauge("arr_journal_queue_bytes", "waiting for the journal", figures.queued_octets),
            counter(
                "arr_segments_sealed", "segments compressed since start", figures.sealed_segments
            ),
            gauge("arr_clock_synchronised", "1 when it is", int(figures.clock_synchronised)),
        )
    )
