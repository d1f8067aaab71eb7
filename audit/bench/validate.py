"""How fast a core judges messages, beside an lxml that only parses them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from lxml import etree

from audit.bench.clocks import Spent, best_of
from audit.bench.machine import machine
from audit.bench.traffic import entries, msg_of, received
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOptions:
    """How much is measured.

    Attributes:
        messages: different simulated messages.
        rounds: each stage is measured so often; the best round counts.
    """

    messages: int = 4_000
    rounds: int = 5


def run(options: ValidateOptions) -> dict[str, Any]:
    """Messages a second and core for each stage and the whole, in processor time."""
    arrived = list(entries(received(options.messages, days=1)))
    octets = [msg_of(entry.received.raw) for entry in arrived]
    roots = list(map(_tree, octets))
    messages = list(map(read_message, roots))
    works = (
        _each(etree.fromstring, octets),
        _each(_parsed, octets),
        partial(_against_schema, roots),
        _each(_judged, messages),
        _each(assess, octets),
        _each(_projected, arrived),
    )
    return _report(best_of(options.rounds, works), octets)


def _each(work: Callable[[T], object], items: Sequence[T]) -> Callable[[], None]:
    def run_all() -> None:
        for item in items:
            work(item)

    return run_all


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


def _report(taken: list[Spent], octets: list[bytes]) -> dict[str, Any]:
    count = len(octets)
    lxml, parse, schema, rules, judge, whole = (spent.cpu_s for spent in taken)
    stages = {
        "lxml": lxml,
        "parse": parse,
        "schema": schema,
        "rules": rules,
        "map": max(whole - judge, 1e-9),
        "whole": whole,
    }
    return {
        "messages": count,
        "octets_per_message": round(sum(map(len, octets)) / count),
        "per_s": {name: round(count / cpu) for name, cpu in stages.items()},
        "us_per_message": {name: round(cpu / count * 1e6, 1) for name, cpu in stages.items()},
        "ratio_to_lxml": {name: round(cpu / lxml, 2) for name, cpu in stages.items()},
        "whole_to_lxml": round(whole / lxml, 2),
        "machine": machine(),
    }
