"""What an operator does with records that Elasticsearch refused: list, put again, drop.

Listing only reads; the rest is journaled and then asked of the process that writes the index.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from secrets import token_hex
from typing import Any, Final

from audit.errors import IndexUnavailable, RequestError
from audit.index.elastic_index import ElasticIndex
from audit.index.elastic_letters import DeadLetter
from audit.record.build import Alert
from audit.service.backends import Backend, beside_of, open_backend
from audit.service.dead_letters import Act, LetterRequest, ask, last_request
from audit.service.operator import LISTENER, appending, operator_name
from audit.service.own_records import OwnRecords, identity_of
from audit.service.paths import DataPaths
from audit.service.status import read_status
from audit.settings import Settings

_ELASTIC: Final[Backend] = "elasticsearch"
_ROLE: Final = "project"
_NAMED_IN_RECORD: Final = 20
_WORDS: Final = {
    "retry": "are to be put again",
    "drop": "are no longer to be listed",
}


def _require_elastic(settings: Settings) -> None:
    if _ELASTIC not in (settings.index.backend, beside_of(settings)):
        raise RequestError("no records go to Elasticsearch here, so none is refused there")


@dataclass(frozen=True, slots=True)
class LetterList:
    """What is listed; from ``first_beyond`` on, journal sequences may be missing from it."""

    letters: tuple[DeadLetter, ...]
    first_beyond: int | None


def letters_listed(settings: Settings) -> LetterList:
    """The list as it is now, in the order of the journal.

    Raises:
        RequestError: no records go to Elasticsearch here.
        IndexUnavailable: Elasticsearch doesn't answer.
    """
    _require_elastic(settings)
    with closing(open_backend(_ELASTIC, settings, DataPaths(settings.data))) as index:
        letters = index.letters if isinstance(index, ElasticIndex) else None
        if letters is None:
            return LetterList((), None)
        return LetterList(tuple(letters.listed()), letters.first_beyond())


def ask_for(settings: Settings, act: Act, ids: Sequence[str] | None) -> str:
    """Journal the request, then make it; its id.

    Raises:
        RequestError: no records go to Elasticsearch here.
        JournalUnavailable: the repository doesn't run, so nothing may be changed.
    """
    _require_elastic(settings)
    paths = DataPaths(settings.data)
    named = "All" if ids is None else ", ".join(ids[:_NAMED_IN_RECORD])
    more = "" if ids is None or len(ids) <= _NAMED_IN_RECORD else f" and {len(ids)} in all"
    what = f"Records that Elasticsearch refused {_WORDS[act]}: {named}{more}"
    own = OwnRecords(identity_of(settings, LISTENER))
    with appending(paths) as appends:
        raw = own.configuration(operator_name(), what, Alert.SOFTWARE_CONFIGURATION)
        appends.append(raw, LISTENER)
    asked = LetterRequest(token_hex(8), act, None if ids is None else list(ids))
    ask(paths, asked)
    return asked.id


def outcome_of(settings: Settings, request: str) -> dict[str, Any] | None:
    """What came of a request; None while it isn't done.

    Raises:
        IndexUnavailable: another one came, nobody works on it, or the index doesn't follow now.
    """
    paths = DataPaths(settings.data)
    asked = last_request(paths)
    if asked is None or asked.id != request:
        raise IndexUnavailable("another request took the place of this one")
    if asked.done:
        return {name: value for name, value in asdict(asked).items() if name != "ids"}
    status = read_status(paths.status(_ROLE))
    if status is None or not status.fresh:
        raise IndexUnavailable("the process that fills the index doesn't run")
    if not status.ready:
        reason = status.detail.get("reason", "no reason given")
        raise IndexUnavailable(f"not yet, but as soon as the index follows again: {reason}")
    return None
