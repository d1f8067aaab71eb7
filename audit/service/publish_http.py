"""One HTTP request to another machine, bounded in time and size; no redirect is followed."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from audit.errors import ConfigurationError, ConnectionFailed

_READ_OCTETS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How other machines are asked.

    Attributes:
        timeout_s: for the connection, and again for the answer.
        max_answer_octets: a longer answer is given up.
        ca_file: CAs of HTTPS servers; the system's when not given.
    """

    timeout_s: float = 10.0
    max_answer_octets: int = 65_536
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, body, and header fields by their lower-case names."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body as text; octets that are none are replaced."""
        return self.body.decode("utf-8", "replace")


def ask(
    method: str,
    url: str,
    options: HttpOptions,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """Send one request and read the whole answer.

    Raises:
        ConfigurationError: the URL is none, or the CA's file can't be used.
        ConnectionFailed: no answer in time, a broken one, or one that is too long.
    """
    connection, target = _connection(url, options)
    try:
        connection.request(method, target, body or None, dict(headers or {}))
        response = connection.getresponse()
        content = _body(response, options)
        return HttpAnswer(
            response.status,
            content,
            {name.lower(): value for name, value in response.getheaders()},
        )
    except (OSError, HTTPException) as error:
        raise ConnectionFailed(f"{url}: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()


def _connection(url: str, options: HttpOptions) -> tuple[HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(f"{url} is no http or https URL")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "http":
        return HTTPConnection(host, port, timeout=options.timeout_s), target
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{options.ca_file} holds no usable CA: {error}") from error
    return HTTPSConnection(host, port, timeout=options.timeout_s, context=context), target


def _body(response: HTTPResponse, options: HttpOptions) -> bytes:
    deadline = time.monotonic() + options.timeout_s
    parts = []
    room = options.max_answer_octets
    while part := response.read1(_READ_OCTETS):
        parts.append(part)
        room -= len(part)
        if room < 0:
            raise HTTPException(f"an answer of more than {options.max_answer_octets} octets")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return b"".join(parts)
