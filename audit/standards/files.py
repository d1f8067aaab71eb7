"""Finds ``schemas/``: the standards as data, in the checkout or inside the installed package.

Nothing is read at import; what is read is read once.
"""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from audit.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE.parent / "schemas", _PACKAGE / "_schemas")


def schema_path(relative: str) -> Path:
    """The path of a file under ``schemas/``.

    Raises:
        ConfigurationError: the file isn't there; the installation is incomplete.
    """
    for place in _PLACES:
        path = place / relative
        if path.is_file():
            return path
    raise ConfigurationError(
        f"schemas/{relative} is missing from this installation (looked in "
        f"{', '.join(str(place) for place in _PLACES)}); install the package again"
    )


@cache
def read_text(relative: str) -> str:
    """The text of a UTF-8 file under ``schemas/``; raises as `schema_path` does."""
    return schema_path(relative).read_text(encoding="utf-8")


@cache
def read_toml(relative: str) -> dict[str, Any]:
    """The content of a TOML file under ``schemas/``; not to be changed by the caller."""
    return tomllib.loads(read_text(relative))


@cache
def read_json(relative: str) -> Any:
    """The content of a JSON file under ``schemas/``; not to be changed by the caller."""
    return json.loads(read_text(relative))
