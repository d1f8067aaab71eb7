"""StateOptions: every limit of accounts, sessions, tokens and saved searches."""

from dataclasses import dataclass

_MINUTE_S = 60
_HOUR_S = 3_600
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordOptions:
    """How passwords are kept.

    Attributes:
        min_chars: shortest password that is accepted.
        max_chars: longest; longer ones would be a way to keep us busy.
        memory_kib: memory of one argon2id computation (RFC 9106 4, second choice).
        passes: its passes over that memory.
        lanes: its lanes.
        max_at_once: computations at a time; with ``memory_kib`` it bounds the memory.
        wait_s: how long a sign-in waits for its turn before it is sent away.
    """

    min_chars: int = 12
    max_chars: int = 256
    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4
    max_at_once: int = 2
    wait_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleOptions:
    """How often a password may be tried, for one account and from one address.

    Attributes:
        free_attempts: failures for one account without a pause.
        free_attempts_per_address: failures from one address without a pause.
        first_pause_s: the pause after that; it doubles with each failure …
        longest_pause_s: … up to this. There is no lasting lock: anybody could cause it.
        forget_after_s: failures count no more when the last is so long ago.
    """

    free_attempts: int = 5
    free_attempts_per_address: int = 20
    first_pause_s: float = 1.0
    longest_pause_s: float = 15.0 * _MINUTE_S
    forget_after_s: float = 1.0 * _HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOptions:
    """Limits of the state store.

    Attributes:
        passwords: how passwords are kept.
        throttle: how often they may be tried.
        session_idle_s: a session unused for so long has ended.
        session_absolute_s: any session ends after this.
        session_touch_s: a session's use is noted at most so often.
        sign_in_lifetime_s: how long a browser may stay at the identity provider.
        max_sessions: sessions of one account; signing in again ends the oldest.
        token_max_lifetime_s: longest life of an API token.
        max_tokens: API tokens of one owner that are alive.
        saved_search_lifetime_s: a saved search is forgotten after this.
        max_saved_searches: saved searches of one owner; a new one ends the oldest.
        max_named_searches: searches that one owner keeps under a name.
        max_identities: identifiers that the alias table holds.
        max_names_of_one: identifiers that one patient or person may have.
        max_saved_chars: longest text of a saved search.
        cleanup_rows: most rows of each kind that one cleanup removes.
        busy_timeout_s: how long to wait for another process's write.
    """

    passwords: PasswordOptions = PasswordOptions()
    throttle: ThrottleOptions = ThrottleOptions()
    session_idle_s: float = 15.0 * _MINUTE_S
    session_absolute_s: float = 8.0 * _HOUR_S
    session_touch_s: float = 30.0
    sign_in_lifetime_s: float = 10.0 * _MINUTE_S
    max_sessions: int = 20
    token_max_lifetime_s: float = 366.0 * _DAY_S
    max_tokens: int = 100
    saved_search_lifetime_s: float = 30.0 * _DAY_S
    max_saved_searches: int = 1_000
    max_named_searches: int = 200
    max_identities: int = 2_000_000
    max_names_of_one: int = 50
    max_saved_chars: int = 8_192
    cleanup_rows: int = 1_000
    busy_timeout_s: float = 5.0
