"""What an operator does on this machine, each act journaled before it is done."""

import getpass
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from audit.errors import JournalUnavailable
from audit.query.access import ALL_SCOPES, Principal
from audit.query.identities import Identities
from audit.query.search import SearchService
from audit.record.build import Alert
from audit.service.asking import identity_options, search_options
from audit.service.backends import open_index, open_reader
from audit.service.own_records import OwnRecords, identity_of
from audit.service.paths import DataPaths
from audit.service.web import state_url
from audit.service.web_options import state_options
from audit.settings import Settings
from audit.state.store import StateStore
from audit.transport.append_socket import AppendClient

LISTENER = "cli"
REASON_VARIABLE = "ARR_REASON"
"""Why the operator looks, where policy wants to know."""


def operator_name() -> str:
    """``LOGIN@HOST`` of whoever runs this process."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = f"uid-{os.getuid()}"
    return f"{login}@{socket.gethostname() or 'localhost'}"


def operator_principal() -> Principal:
    """The operator at this machine: may read all, and is named in the records of it."""
    return Principal(
        name=operator_name(),
        display_name="operator at the command line",
        scopes=frozenset(ALL_SCOPES),
        kind="account",
        address=socket.gethostname() or "localhost",
        reason=os.environ.get(REASON_VARIABLE, "").strip(),
    )


@contextmanager
def searching(settings: Settings) -> Iterator[SearchService]:
    """Search this machine's repository; every look is journaled, so it must be running.

    Raises:
        JournalUnavailable: there is no journal here, or nobody takes records.
    """
    paths = DataPaths(settings.data)
    with (
        appending(paths) as appends,
        open_reader(paths) as reader,
        StateStore(state_url(paths), state_options(settings)) as state,
    ):
        index = open_index(settings, paths)
        try:
            identity = identity_of(settings, LISTENER)
            yield SearchService(
                index,
                reader,
                lambda raw: appends.append(raw, LISTENER),
                search_options(settings, paths, identity),
                Identities(state.aliases, identity_options(settings)),
            )
        finally:
            index.close()


@contextmanager
def administering(settings: Settings) -> Iterator["Administration"]:
    """Change accounts and tokens of this machine's repository, which must be running.

    Raises:
        JournalUnavailable: nobody takes records, so nothing may be changed.
    """
    paths = DataPaths(settings.data)
    with (
        appending(paths) as appends,
        StateStore(state_url(paths), state_options(settings)) as state,
    ):
        yield Administration(state, appends, OwnRecords(identity_of(settings, LISTENER)))


class Administration:
    """The state store, with a record of each change."""

    def __init__(self, state: StateStore, appends: AppendClient, own: OwnRecords) -> None:
        self.state = state
        self._appends = appends
        self._own = own

    def record(self, what: str, kind: Alert = Alert.USER_SECURITY_ATTRIBUTES_CHANGED) -> None:
        """Journal a change that is about to be made.

        Raises:
            JournalUnavailable: it can't be journaled; the change may not be made.
        """
        self._appends.append(self._own.configuration(operator_name(), what, kind), LISTENER)

    def append_all(self, raws: Sequence[bytes], listener: str) -> tuple[int, ...]:
        """Append messages that the operator brought; raises as ``AppendClient.append_all``."""
        return self._appends.append_all(raws, listener)


@contextmanager
def appending(paths: DataPaths) -> Iterator[AppendClient]:
    """What an operator's acts are journaled through.

    Raises:
        JournalUnavailable: no repository runs here.
    """
    if not paths.append_socket.exists():
        raise JournalUnavailable(
            f"no repository runs on {paths.root}, so this act can't be journaled; "
            "start it with arr serve"
        )
    appends = AppendClient(paths.append_socket)
    try:
        yield appends
    finally:
        appends.close()
