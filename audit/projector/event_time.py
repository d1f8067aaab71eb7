"""Which time a search by time means: the event's own while plausible, else that of receipt."""

from typing import NamedTuple

from audit.journal.entry import Received
from audit.projector.options import DAY_S, NS_PER_S, ProjectionOptions
from audit.record.findings import Finding, finding
from audit.record.times import parse_date_time


class ChosenTime(NamedTuple):
    """UTC nanoseconds, and the finding ``clock-skew`` when the sender's time was set aside."""

    ns: int
    finding: Finding | None = None


def choose_time(sent: str, received: Received, options: ProjectionOptions) -> ChosenTime:
    """Choose between the event's time as sent and the time of receipt.

    The event's own time counts when it lies in the window that ``options`` draws around receipt,
    and always for records that an operator imported.
    """
    event_ns = parse_date_time(sent).ns
    if event_ns is None:
        return ChosenTime(received.received_at)
    age = received.received_at - event_ns
    oldest, lead = options.oldest_event_age_s * NS_PER_S, options.newest_event_lead_s * NS_PER_S
    if -lead <= age <= oldest or received.listener in options.import_listeners:
        return ChosenTime(event_ns)
    found = finding(
        "clock-skew",
        f"the event's time {sent} lies {_in_words(age)} receipt; the time of receipt is used",
        path="/AuditMessage/EventIdentification/@EventDateTime",
    )
    return ChosenTime(received.received_at, found)


def _in_words(age_ns: int) -> str:
    days, rest_s = divmod(abs(age_ns) // NS_PER_S, DAY_S)
    return f"{days} days and {rest_s} s {'before' if age_ns > 0 else 'after'}"
