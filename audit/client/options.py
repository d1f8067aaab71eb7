"""ClientOptions: where the repository is, how to be let in, and how patient to be."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from audit.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How to reach a repository.

    Attributes:
        url: its address, as ``https://HOST:8443``; plain HTTP to this machine only.
        token: an API token.
        ca_file: PEM certificates to trust in place of the system's.
        timeout_s: for connecting, and for each read and write. A live tail is silent for ten
            seconds at most.
        max_retries: how often a request is made again after 429 and 503, and a broken tail
            taken up again without anything new.
        longest_wait_s: no single wait is longer, whatever the server says.
        page: records asked for at a time.

    Raises:
        ConfigurationError: the address or the token can't be used.
    """

    url: str
    token: str = field(repr=False)
    ca_file: Path | None = None
    timeout_s: float = 30.0
    max_retries: int = 4
    longest_wait_s: float = 60.0
    page: int = 1_000

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(f"{self.url} is no address; write it as https://HOST:8443")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname):
            raise ConfigurationError(
                f"{self.url} would send the token and the records in clear; use https"
            )
        if not self.token.strip() or not self.token.isascii():
            raise ConfigurationError("there is no API token; make one with arr token create")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
