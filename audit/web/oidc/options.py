"""OidcOptions: the identity provider, and what its claims mean here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import time

from audit.errors import ConfigurationError

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures that may be accepted: none with a shared secret, and never ``none``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcOptions:
    """The identity provider, and what its claims mean here.

    Attributes:
        issuer: its URL; its metadata lies below it, and every token must name it.
        client_id: what this repository is called there.
        client_secret: what it proves itself with; empty for a public client.
        redirect_url: where the provider leads browsers back to: ``…/sign-in/oidc/done``.
        audience: what bearer tokens for the API must be meant for; empty refuses them all.
        algorithms: signatures that are accepted, some of ``ALGORITHMS``.
        scopes: what is asked of the provider at a sign-in, besides ``openid``.
        leeway_s: how far its clock and ours may be apart.
        keys_max_age_s: keys are read again after this, so a withdrawn one is gone by then.
        keys_min_age_s: a token of an unknown key makes the keys be read again so often at most.
        longest_age_s: a bearer token older than this is refused, whatever it says itself.
        timeout_s: how long an answer of the provider may take.
        max_answer_octets: longer answers are refused.
        ca_file: CA of the provider's certificate; the system's when not given.
        name_claim: how the audit trail names somebody; ``sub`` where it is missing.
        display_name_claim: a person's name.
        roles_claim: names of roles; dots lead into nested claims.
        role_map: role here by role there; empty when they are named alike.
        scope_map: scopes here, blank-separated, by scope of a bearer token.
        sites_claim: sites whose records somebody sees; empty when none is given.
        sources_claim: audit sources whose records somebody sees; empty when none is given.
        clock: seconds since 1970.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    redirect_url: str = ""
    audience: str = ""
    algorithms: tuple[str, ...] = ALGORITHMS
    scopes: tuple[str, ...] = ("profile",)
    leeway_s: float = 60.0
    keys_max_age_s: float = 600.0
    keys_min_age_s: float = 30.0
    longest_age_s: float = 86_400.0
    timeout_s: float = 5.0
    max_answer_octets: int = 1_048_576
    ca_file: Path | None = None
    name_claim: str = "preferred_username"
    display_name_claim: str = "name"
    roles_claim: str = "roles"
    role_map: Mapping[str, str] = field(default_factory=dict)
    scope_map: Mapping[str, str] = field(default_factory=dict)
    sites_claim: str = ""
    sources_claim: str = ""
    clock: Callable[[], float] = time

    def __post_init__(self) -> None:
        unknown = set(self.algorithms) - set(ALGORITHMS)
        if unknown or not self.algorithms:
            raise ConfigurationError(
                f"signatures by {', '.join(sorted(unknown)) or 'nothing'} are not accepted; "
                f"use some of {', '.join(ALGORITHMS)}"
            )
