"""How fast a core judges messages, beside an lxml that only parses them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from lxml import etree

from audit.bench.clocks import Spent, timed
from audit.bench.machine import machine
from audit.bench.traffic import batches, entries, msg_of, received
from audit.garbage import spare_collections
from audit.journal.entry import Entry
from audit.projector.project import project
from audit.record import grammar
from audit.record.assess import assess
from audit.record.audit_message import AuditMessage
from audit.record.event_rules import judge_event
from audit.record.message_rules import judge_message
from audit.record.parse import read_message
from audit.record.xml_input import DEFAULT_LIMITS, prepare
from audit.record.xml_tree import Element, read_tree

T = TypeVar("T")
_ORIGIN = "bench"
_MESSAGES_PER_DAY = 6_000
_TURN = 250
"""Messages after which the other side has its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOptions:
    """How much is measured.

    Attributes:
        messages: of each stage and round.
        rounds: each stage is measured so often, in turn with the others; the best round counts.
    """

    messages: int = 2_000
    rounds: int = 3


def run(options: ValidateOptions) -> dict[str, Any]:
    """Messages a second and core for each stage and the whole, in processor time.

    No stage meets a message twice: what the product remembers of one helps with others only as
    far as their senders repeat themselves. What is timed follows on messages that the stage has
    just worked on, as in a stream. A machine's speed varies from second to second: so the whole
    and the bare parse are compared once more, taking turns with the same messages.
    """
    slices = batches(_arrived(options), options.messages)
    spare_collections()  # as a projection worker does
    rounds: list[list[Spent]] = []
    octets = 0
    turns: list[tuple[float, float]] = []
    for _ in range(options.rounds):
        taken: list[Spent] = []
        for prepared in _STAGES:
            prepared(next(slices))()
            turn = next(slices)
            octets += sum(len(msg_of(entry.received.raw)) for entry in turn)
            taken.append(timed(prepared(turn)))
        rounds.append(taken)
        turns += _in_turns(next(slices))
    best = [min(spent.cpu_s for spent in taken) for taken in zip(*rounds, strict=True)]
    whole_s, lxml_s = map(sum, zip(*turns, strict=True))
    return {
        **_report(best, options, octets),
        "whole_to_lxml": round(whole_s / lxml_s, 2),
        "machine": machine(),
    }


def _in_turns(arrived: Sequence[Entry]) -> Iterator[tuple[float, float]]:
    """Processor time of the whole and of a bare parse, for some messages after the other."""
    for turn in batches(arrived, _TURN):
        messages = _messages(turn)
        whole = timed(_each(_projected, turn)).cpu_s
        yield whole, timed(_each(etree.fromstring, messages)).cpu_s


def _arrived(options: ValidateOptions) -> Iterator[Entry]:
    count = (2 * len(_STAGES) + 1) * options.messages * options.rounds
    return entries(received(count, days=max(1.0, count / _MESSAGES_PER_DAY)))


def _each(work: Callable[[T], object], items: Sequence[T]) -> Callable[[], None]:
    def run_all() -> None:
        for item in items:
            work(item)

    return run_all


def _messages(arrived: Sequence[Entry]) -> list[bytes]:
    return [msg_of(entry.received.raw) for entry in arrived]


def _tree(octets: bytes) -> Element:
    return read_tree(prepare(octets, DEFAULT_LIMITS))


def _parsed(octets: bytes) -> AuditMessage:
    return read_message(_tree(octets))


def _against_schema(roots: Sequence[Element]) -> None:
    with grammar.borrowed() as grammars:
        for root in roots:
            grammars.accepts("dicom", root)


def _judged(message: AuditMessage) -> None:
    judge_message(message, strict=True)
    judge_event(message)


def _projected(entry: Entry) -> None:
    project(entry, _ORIGIN)


_STAGES: tuple[Callable[[Sequence[Entry]], Callable[[], None]], ...] = (
    lambda arrived: _each(etree.fromstring, _messages(arrived)),
    lambda arrived: _each(_parsed, _messages(arrived)),
    lambda arrived: partial(_against_schema, list(map(_tree, _messages(arrived)))),
    lambda arrived: _each(_judged, list(map(_parsed, _messages(arrived)))),
    lambda arrived: _each(assess, _messages(arrived)),
    lambda arrived: _each(_projected, arrived),
)
"""From messages to the work that is measured: bare lxml, parse, schema, rules, judge, whole."""


def _report(best: list[float], options: ValidateOptions, octets: int) -> dict[str, Any]:
    lxml, parse, schema, rules, judge, whole = best
    count = options.messages
    stages = {
        "lxml": lxml,
        "parse": parse,
        "schema": schema,
        "rules": rules,
        "judge": judge,
        "map": max(whole - judge, 1e-9),
        "whole": whole,
    }
    return {
        "messages": count,
        "octets_per_message": round(octets / (count * options.rounds * len(_STAGES))),
        "per_s": {name: round(count / cpu) for name, cpu in stages.items()},
        "us_per_message": {name: round(cpu / count * 1e6, 1) for name, cpu in stages.items()},
        "ratio_to_lxml": {name: round(cpu / lxml, 2) for name, cpu in stages.items()},
    }
