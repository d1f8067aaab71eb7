"""Request errors that only HTTP knows, each with its status."""

from audit.errors import Denied, RequestError


class Unauthenticated(RequestError):
    """No valid credentials came with the request; present some."""


class ForgedRequest(Denied):
    """A state-changing request didn't come from a page of ours; reload the page and try again."""


class TooManyRequests(RequestError):
    """The caller asked too often; try again after ``retry_after_s``."""

    def __init__(self, text: str, retry_after_s: int) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class BadRequest(RequestError):
    """The request can't be understood."""
