"""Who is at the browser: cookies, the forged-request check, and what a page may know of them.

A session cookie carries 256 random bits and nothing else; the token in every form is derived from
it, so a page of another site can know neither. Browsers also say where a request comes from
(``Sec-Fetch-Site``, ``Origin``), and anything but our own pages is refused.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from secrets import token_urlsafe
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.forms import Form
from audit.dashboard.options import PageOptions
from audit.query.access import Principal
from audit.state.sessions import Session
from audit.web.errors import ForgedRequest, Unauthenticated

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a form field
_OWN_SITES = frozenset({"same-origin", "none"})
_FORGED = "this request did not come from a page of this server; reload the page and try again"


class SignInNeeded(Unauthenticated):
    """Nobody is signed in; the sign-in page leads back to ``path``."""

    def __init__(self, path: str) -> None:
        super().__init__("sign in first")
        self.path = path


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in.

    Attributes:
        principal: who asks, with scopes.
        session_token: value of the session cookie; never shown.
        session: since when they are here, and when they last showed that it is them.
    """

    principal: Principal
    session_token: str
    session: Session

    @property
    def owner(self) -> str:
        """Under which name the searches are kept that they ask.

        Whom an identity provider vouches for is another than the local account of that name, and
        than whom another provider vouches for.
        """
        issuer, name = self.session.issuer, self.session.name
        if not issuer:
            return name
        return "guest:" + sha256(f"{issuer}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def form_token(self) -> str:
        """What every form of this session carries."""
        return form_token_of(self.session_token)


def form_token_of(secret: str) -> str:
    """The form token that belongs to a cookie's secret."""
    return hmac_digest(secret.encode(), b"form token", sha256).hex()


class Cookies:
    """Names and attributes of our cookies."""

    def __init__(self, options: PageOptions) -> None:
        prefix = "__Host-" if options.https else ""
        self.session = f"{prefix}arr-session"
        self.visit = f"{prefix}arr-visit"
        self.away = f"{prefix}arr-away"
        self._secure = options.https

    def put(self, response: Response, name: str, value: str) -> None:
        """Set a cookie that scripts can't read and other sites' requests don't carry."""
        response.set_cookie(
            name, value, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def remove(self, response: Response, name: str) -> None:
        """Make the browser forget a cookie."""
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")


def new_visit() -> str:
    """The secret of a browser that isn't signed in yet."""
    return token_urlsafe(32)


def check_own_form(request: Request, form: Form, secret: str) -> None:
    """Pass only a request that a page of ours, shown to this cookie, has made.

    Raises:
        ForgedRequest: another site's request, or no token, or another session's.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        raise ForgedRequest(_FORGED)
    origin = request.headers.get("origin", "null")
    # "null" is what our own pages send, because they send no referrer.
    if origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForgedRequest(_FORGED)
    token = form.get(TOKEN_FIELD, "")
    if not secret or not compare_digest(token.encode(), form_token_of(secret).encode()):
        raise ForgedRequest(_FORGED)


def own_path(path: str) -> str:
    """The path if it leads to a page of ours, else the home page."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
