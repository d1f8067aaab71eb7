"""A study's trail across nodes: who sent it where, who opened it, and whether both ends told."""

from collections.abc import Iterator

from audit.index.criteria import Or, Term
from audit.index.document import IndexedRecord
from audit.query.reports import wording
from audit.query.reports.asked import ReportAsked
from audit.query.reports.gather import Gather
from audit.query.reports.moment import moment
from audit.query.reports.report import Column, Section

TITLE = "A study's trail"
BASIS = "The chain of custody of one study, as the nodes told of it."

EVENTS = (
    Column("time", "Time", 2),
    Column("act", "What was done", 4),
    Column("from", "From", 3),
    Column("to", "To", 3),
    Column("people", "People", 3),
    Column("instances", "Instances", 1),
    Column("outcome", "Outcome", 1),
    Column("where", "Reported by", 2),
    Column("record", "Record", 2),
)
NODES = (
    Column("node", "Node", 3),
    Column("records", "Records", 1),
    Column("first", "First", 2),
    Column("last", "Last", 2),
    Column("acts", "What it told of", 5),
)
TRANSFERS = (
    Column("from", "From", 3),
    Column("to", "To", 3),
    Column("told_by", "Told by", 3),
    Column("instances", "Instances told", 2),
    Column("remark", "Remark", 4),
)
_TRANSFERRED = "110104"


def sections(gather: Gather, asked: ReportAsked) -> tuple[Section, ...]:
    """Every event of the study, the nodes, and each way it went."""
    of_study = Or((Term("study", asked.study), Term("object", asked.study)))
    records = gather.records(of_study, "events of the study")
    return (
        Section(
            name="events",
            title="Events",
            columns=EVENTS,
            rows=tuple(_row(one, asked.study) for one in records),
            note="Oldest first.",
            empty="No source told of this study.",
        ),
        Section(name="nodes", title="Nodes", columns=NODES, rows=tuple(_nodes(records))),
        Section(
            name="transfers",
            title="Transfers, and whether both ends told of them",
            columns=TRANSFERS,
            rows=tuple(_transfers(records, asked.study)),
            note="A transfer that only one end told of, or of which the ends tell different "
            "numbers, may be one that is missing, or a node that does not report.",
            empty="No transfer was told of.",
        ),
    )


def instances(record: IndexedRecord, study: str) -> int | None:
    """How many instances of the study the record tells of; None when it doesn't say."""
    counts = [
        cls["instances"]
        for one in wording.data_objects(record)
        if one["id"] == study
        for cls in one["sop_classes"]
        if cls["instances"] is not None
    ]
    return sum(counts) if counts else None


def _row(record: IndexedRecord, study: str) -> tuple[str, ...]:
    count = instances(record, study)
    return (
        moment(record.time),
        wording.act(record),
        wording.names(wording.in_role(record, wording.SOURCE)),
        wording.names(wording.in_role(record, wording.DESTINATION)),
        wording.names(one for one in wording.people(record) if one["is_requestor"]),
        "" if count is None else str(count),
        wording.outcome(record),
        wording.node(record),
        record.id,
    )


def _nodes(records: list[IndexedRecord]) -> Iterator[tuple[str, ...]]:
    by_node: dict[str, list[IndexedRecord]] = {}
    for record in records:
        by_node.setdefault(wording.node(record), []).append(record)
    for node, mine in by_node.items():
        acts = wording.BETWEEN.join(dict.fromkeys(map(wording.act, mine)))
        at = [one.time for one in mine]
        yield node, str(len(mine)), moment(min(at)), moment(max(at)), acts


def _end(record: IndexedRecord, role: str) -> tuple[str, str]:
    """By what an end is known to both (its AE title, else its address), and its name."""
    found = wording.in_role(record, role)
    if not found:
        return "not named", "not named"
    one = found[0]
    title = (one["alternative_user_id"] or "").partition("=")[2].strip()
    return (title or one["address"] or wording.user_key(one)).casefold(), wording.names(found)


def _transfers(records: list[IndexedRecord], study: str) -> Iterator[tuple[str, ...]]:
    ways: dict[tuple[str, str], list[IndexedRecord]] = {}
    shown: dict[str, str] = {}
    for record in records:
        if record.first("event") == _TRANSFERRED:
            ends = [_end(record, role) for role in (wording.SOURCE, wording.DESTINATION)]
            shown |= dict(ends)
            ways.setdefault((ends[0][0], ends[1][0]), []).append(record)
    for (source, destination), told in ways.items():
        nodes = dict.fromkeys(map(wording.node, told))
        sums = {node: _sum(told, node, study) for node in nodes}
        remark = "told by one end only" if len(nodes) == 1 else ""
        if len(set(sums.values())) > 1:
            remark = "the ends tell different numbers of instances"
        counts = wording.BETWEEN.join(f"{node}: {sums[node]}" for node in nodes)
        yield shown[source], shown[destination], ", ".join(nodes), counts, remark


def _sum(told: list[IndexedRecord], node: str, study: str) -> int:
    return sum(instances(one, study) or 0 for one in told if wording.node(one) == node)
