"""The journal's keys: those for encryption at rest, and the wish for another signing key."""

import json

from audit.service.paths import DataPaths
from audit.service.state_file import replace_file
from audit.settings import Settings, journal_keys
from audit.settings.load import KEY_VARIABLE

_REQUEST = "rotate-key"


def use_journal_keys(settings: Settings) -> None:
    """Read the configured keys, if there are any, and use them from now on.

    Keys in the environment beat a file of keys.

    Raises:
        ConfigurationError: the file can't be read, is open to others, or there are no keys in it
            or in the environment's variable.
    """
    given = journal_keys()
    if given is None and settings.journal.key_file is None:
        return
    from audit.journal.master_keys import load_master_keys, parse_master_keys, use

    if given is not None:
        use(parse_master_keys(given.encode(), KEY_VARIABLE))
    elif settings.journal.key_file is not None:
        use(load_master_keys(settings.journal.key_file))


def ask_for_key(paths: DataPaths, overlap_s: float) -> None:
    """Ask the collector for another signing key; both sign heads for so long."""
    replace_file(paths.run / _REQUEST, json.dumps({"overlap_s": overlap_s}).encode())


def take_key_request(paths: DataPaths) -> float | None:
    """For how long both keys are to sign, when an operator asked for another key; else None."""
    request = paths.run / _REQUEST
    try:
        overlap_s = float(json.loads(request.read_text(encoding="utf-8"))["overlap_s"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        overlap_s = None
    request.unlink(missing_ok=True)
    return overlap_s
