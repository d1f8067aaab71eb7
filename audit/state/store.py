"""StateStore: accounts, sessions, API tokens and saved searches behind one door."""

from collections.abc import Callable
from time import time_ns
from types import TracebackType
from typing import Self

from audit.state.accounts import Accounts
from audit.state.aliases import Aliases
from audit.state.database import Database
from audit.state.named_searches import NamedSearches
from audit.state.options import StateOptions
from audit.state.passwords import Passwords
from audit.state.saved_searches import SavedSearches
from audit.state.sessions import Sessions
from audit.state.sign_ins import SignIns
from audit.state.throttle import Throttle
from audit.state.tokens import ApiTokens


class StateStore:
    """Everything that is no evidence. Safe to use from several threads and processes.

    Every method of its parts may raise StorageError. What of it is evidence (sign-ins, changes of
    accounts) is journaled by whoever calls.

    Args:
        url: an SQLAlchemy URL, ``sqlite:///FILE`` for one machine.
        options: limits.
        clock: UTC nanoseconds.

    Raises:
        ConfigurationError: the URL can't be used.
        StorageError: the database can't be reached.
    """

    def __init__(
        self,
        url: str,
        options: StateOptions | None = None,
        clock: Callable[[], int] = time_ns,
    ) -> None:
        self._options = options or StateOptions()
        self._database = Database(url, self._options.busy_timeout_s, clock)
        self._throttle = Throttle(self._database, self._options.throttle)
        passwords = Passwords(self._options.passwords)
        self.accounts = Accounts(self._database, passwords, self._throttle)
        self.sessions = Sessions(self._database, self.accounts, self._options)
        self.tokens = ApiTokens(self._database, self._options)
        self.saved_searches = SavedSearches(self._database, self._options)
        self.sign_ins = SignIns(self._database, self._options)
        self.named_searches = NamedSearches(self._database, self._options)
        self.aliases = Aliases(self._database, self._options)

    @property
    def clock(self) -> Callable[[], int]:
        """The store's clock, UTC nanoseconds."""
        return self._database.clock

    def cleanup(self) -> int:
        """Forget a bounded number of things that have ended; how many.

        Nothing depends on it: what has ended opens nothing, whether it is still stored or not.
        """
        most = self._options.cleanup_rows
        parts = (
            self.sessions,
            self.tokens,
            self.saved_searches,
            self.sign_ins,
            self._throttle,
        )
        return sum(part.cleanup(most) for part in parts)

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
