"""Where settings come from: flag, environment, file, default."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from audit.errors import ConfigurationError
from audit.settings.section import Section
from audit.settings.settings import Settings

ENVIRONMENT_PREFIX = "ARR_"
SYSTEM_FILE = Path("/etc/arr/arr.toml")
KEY_CREDENTIAL = "arr-journal-key"
KEY_VARIABLE = "ARR_JOURNAL_KEY"
"""Holds the journal's keys themselves; no setting, so that nothing shows it with them."""


def load(
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from flags, environment, file and defaults, in this order of weight.

    Args:
        file: a TOML file; without it ``ARR_CONFIG``, then ``/etc/arr/arr.toml`` where it exists.
        flags: values by dotted name; None values are left out.
        environment: defaults to the process environment.

    Raises:
        ConfigurationError: a name is unknown, a value does not fit, or the file can't be read; the
            text names file, setting and mend.
    """
    environment = os.environ if environment is None else environment
    path = file or _configured_file(environment)
    merged: dict[str, Any] = {}
    for name, value, origin in (
        *_credential_values(environment),
        *_file_values(path),
        *_environment_values(environment),
        *((name, value, "flag") for name, value in (flags or {}).items() if value is not None),
    ):
        _check_name(name, origin)
        _put(merged, name.split("."), value)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error


def journal_keys(environment: Mapping[str, str] | None = None) -> str | None:
    """The keys for encryption at rest that the environment holds, one a line; None without."""
    environment = os.environ if environment is None else environment
    return environment.get(KEY_VARIABLE) or None


def names() -> tuple[str, ...]:
    """Every setting's dotted name, in order."""
    return tuple(name for name, _, _ in described())


def described(
    model: type[BaseModel] = Settings, prefix: str = ""
) -> Iterator[tuple[str, Any, str]]:
    """Dotted name, default and description of every setting."""
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield from described(annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, info.default, info.description or ""


def render_markdown() -> str:
    """docs/settings.md, generated."""
    lines = [
        "# Settings",
        "",
        "Generated from `audit/settings/`. A flag beats the environment, the environment beats",
        "the TOML file (`--config FILE`, else `ARR_CONFIG`, else `/etc/arr/arr.toml`), the file",
        "beats the default. In the environment `syslog.tls_port` is `ARR_SYSLOG__TLS_PORT`; in a",
        "file it is `tls_port` under `[syslog]`. Unknown names are errors.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    for name, default, meaning in described():
        shown = "" if default is None or default in ("", (), {}) else f"`{default}`"
        lines.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def _configured_file(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("ARR_CONFIG")
    if named:
        return Path(named)
    return SYSTEM_FILE if SYSTEM_FILE.exists() else None


def _file_values(path: Path | None) -> Iterator[tuple[str, Any, str]]:
    if path is None:
        return
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    for name, value in _flatten(content):
        yield name, value, str(path)


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict) and not _is_made_of(dict, prefix + name):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _credential_values(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """What systemd hands over by LoadCredential=; anything else that is configured beats it."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / KEY_CREDENTIAL).exists():
        yield "journal.key_file", Path(folder) / KEY_CREDENTIAL, "systemd credential"


def _environment_values(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _OTHER_VARIABLES:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
        value: Any = environment[variable]
        if _is_made_of(tuple, name):
            value = tuple(part.strip() for part in value.split(",") if part.strip())
        yield name, value, f"environment variable {variable}"


_MISTYPED = 0.85
"""Likeness from which on two names differ by a slip of the fingers."""

_OTHER_VARIABLES = frozenset(
    {KEY_VARIABLE, "ARR_CONFIG", "ARR_LONG", "ARR_PASSWORD", "ARR_REASON", "ARR_TOKEN"}
)


def _is_made_of(kind: type, name: str) -> bool:
    """Whether the setting of this name is a list (tuple) or a table of the operator's names."""
    return any(known == name and isinstance(default, kind) for known, default, _ in described())


def _check_name(name: str, origin: str) -> None:
    known = names()
    if name in known:
        return
    near = _near(name, known)
    hint = f"; did you mean {near}?" if near else ""
    raise ConfigurationError(f"{origin}: there is no setting {name}{hint}")


def _near(name: str, known: Iterable[str]) -> str:
    """The setting that was surely meant: mistyped, or of its section with a word in common."""
    section, _, last = name.rpartition(".")
    words = set(last.split("_"))
    beside = (one.rpartition(".") for one in known)
    akin = [f"{of}.{end}" for of, _, end in beside if of == section and words & {*end.split("_")}]
    mistyped = get_close_matches(name, known, n=1, cutoff=_MISTYPED)
    return next(iter(mistyped or akin or get_close_matches(name, known, n=1)), "")


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _explain(error: ValidationError) -> str:
    return "; ".join(
        f"setting {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        f" (found {fault['input']!r})"
        for fault in error.errors()
    )
