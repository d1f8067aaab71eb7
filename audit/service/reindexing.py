"""What an operator asks of the search index from beside: to be built anew, or to be checked."""

from typing import Any

from audit.errors import IndexUnavailable, RequestError
from audit.record.build import Alert
from audit.service.backends import Backend, open_backend
from audit.service.operator import LISTENER, appending, operator_name
from audit.service.own_records import OwnRecords, identity_of
from audit.service.paths import DataPaths
from audit.service.reindex import DONE, FAILED, ask_for, last_request
from audit.service.status import read_status
from audit.settings import Settings

_ROLE = "project"


def asked_to_reindex(settings: Settings, to: str | None) -> str:
    """Journal the request, then make it; its id.

    Raises:
        JournalUnavailable: the repository doesn't run, so nothing may be changed.
    """
    backend: Backend = "elasticsearch" if to == "elasticsearch" else "embedded"
    chosen = settings.index.backend if to is None else backend
    paths = DataPaths(settings.data)
    own = OwnRecords(identity_of(settings, LISTENER))
    what = f"The search index ({chosen}) is to be built anew"
    with appending(paths) as appends:
        raw = own.configuration(operator_name(), what, Alert.SOFTWARE_CONFIGURATION)
        appends.append(raw, LISTENER)
    return ask_for(paths, chosen)


def progress_of(settings: Settings, request: str) -> dict[str, Any]:
    """How far a request is, as `audit.service.reindex.ReindexState` has it.

    Raises:
        IndexUnavailable: it failed, another one came, or nobody works on it.
    """
    paths = DataPaths(settings.data)
    asked = last_request(paths)
    if asked is None or asked.id != request:
        raise IndexUnavailable("another request took the place of this one")
    if asked.state == FAILED:
        raise IndexUnavailable(f"the index was not built anew: {asked.reason}")
    if asked.state == DONE:
        return asked.told()
    status = read_status(paths.status(_ROLE))
    if status is None or not status.fresh:
        raise IndexUnavailable("the process that fills the index doesn't run")
    state: dict[str, Any] = status.detail.get("reindex") or {}
    return state if state.get("id") == request else asked.told()


def check_index(settings: Settings) -> dict[str, str]:
    """What is wrong with each file of the embedded index.

    Raises:
        RequestError: the index isn't the embedded one.
    """
    from audit.index.sqlite_index import SqliteIndex

    index = open_backend(settings.index.backend, settings, DataPaths(settings.data))
    try:
        if not isinstance(index, SqliteIndex):
            raise RequestError("only the embedded index has files to check")
        return index.check()
    finally:
        index.close()
