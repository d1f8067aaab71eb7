"""Identities learned from the trail: merges of patients become links, each change journaled."""

from collections.abc import Callable

import structlog

from audit.errors import RequestError
from audit.index.port import SearchIndex
from audit.query.merges import MergeOptions, learn_merges
from audit.state.aliases import Aliases, Link

LEARNER = "merges"
BY = "patient record events"
_STEPS = 100
"""Stretches of the trail that are looked at in one go; what is left waits for the next."""

log = structlog.get_logger()


def learn_identities(
    index: SearchIndex,
    aliases: Aliases,
    record: Callable[[str], None],
    options: MergeOptions | None = None,
) -> int:
    """Link the patients that were merged in what became searchable since the last time.

    Args:
        index: the whole index.
        aliases: the table.
        record: journals what is about to be changed; raises JournalUnavailable.
        options: bounds.

    Returns:
        How many links are new.
    """
    linked = 0
    for _ in range(_STEPS):
        position = aliases.position(LEARNER)
        linked += _step(index, aliases, record, options)
        if aliases.position(LEARNER) in {position, index.position()}:
            break
    return linked


def _step(
    index: SearchIndex,
    aliases: Aliases,
    record: Callable[[str], None],
    options: MergeOptions | None,
) -> int:
    learned = learn_merges(index, aliases.position(LEARNER), options)
    new = [link for link in learned.links if not _is_known(aliases, link)]
    linked = 0
    if new:
        record(f"{len(new)} merged patients are linked, as Patient Record events say")
    for link in new:
        try:
            aliases.link("patient", [link], by=BY, source="trail")
        except RequestError as error:
            log.warning("a merge of patients was not linked", reason=str(error))
        else:
            linked += 1
    aliases.note_position(LEARNER, learned.position)
    return linked


def _is_known(aliases: Aliases, link: Link) -> bool:
    first, *others = link.names
    known = {one.name.key for somebody in aliases.find("patient", first) for one in somebody.names}
    return all(name.key in known for name in others)
