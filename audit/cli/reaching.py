"""Which repository a command asks: one at an address, a demonstration, or this machine's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from audit.cli.options import settings_from
from audit.cli.remote import client_at, client_of_demo

if TYPE_CHECKING:
    from audit.client import RepositoryClient
    from audit.settings import Settings


@contextmanager
def reached(
    url: str | None,
    token_file: str | None,
    ca_file: Path | None,
    data: Path | None,
    config_file: Path | None,
) -> Iterator["RepositoryClient | Settings"]:
    """A client of the repository that is meant, or the settings of this machine's."""
    settings = None
    if url is not None:
        client: RepositoryClient | None = client_at(url, token_file, ca_file)
    else:
        settings = settings_from(data, config_file)
        client = client_of_demo(settings.data)
    if client is not None:
        with client:
            yield client
    elif settings is not None:
        yield settings
