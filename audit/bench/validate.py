"""How fast a core judges messages, beside an lxml that only parses them."""

from dataclasses import dataclass
from typing import Any

from lxml import etree

from audit.bench.clocks import Spent, best_of
from audit.bench.machine import machine
from audit.bench.traffic import entries, msg_of, received
from audit.projector.project import project
from audit.record import grammar
from audit.record.assess import assess
from audit.record.event_rules import judge_event
from audit.record.message_rules import judge_message
from audit.record.parse import read_message
from audit.record.xml_input import DEFAULT_LIMITS, prepare
from audit.record.xml_tree import read_tree

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
    roots = [read_tree(prepare(one, DEFAULT_LIMITS)) for one in octets]
    messages = [read_message(root) for root in roots]

    def lxml() -> None:
        for one in octets:
            etree.fromstring(one)

    def parse() -> None:
        for one in octets:
            read_message(read_tree(prepare(one, DEFAULT_LIMITS)))

    def schema() -> None:
        with grammar.borrowed() as grammars:
            for root in roots:
                grammars.accepts("dicom", root)

    def rules() -> None:
        for message in messages:
            judge_message(message, strict=True)
            judge_event(message)

    def judge() -> None:
        for one in octets:
            assess(one)

    def whole() -> None:
        for entry in arrived:
            project(entry, _ORIGIN)

    taken = best_of(options.rounds, (lxml, parse, schema, rules, judge, whole))
    return _report(taken, octets)


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
