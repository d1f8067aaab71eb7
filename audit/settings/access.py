"""Settings of who may come in, and what they have to show."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from audit.settings.section import Section

Algorithm = Literal["RS256", "PS256", "ES256", "ES384", "EdDSA"]


class AccessSettings(Section):
    """Who may come in besides local accounts and API tokens, and what they have to show."""

    oidc_issuer: str = Field(
        "", description="URL of the OpenID Connect provider; empty for none, local accounts only"
    )
    oidc_client_id: str = Field("", description="what this repository is called at the provider")
    oidc_client_secret_file: Path | None = Field(
        None, description="file with the client's secret; none for a public client"
    )
    oidc_redirect_url: str = Field(
        "", description="where browsers are led back to: https://HOST:PORT/sign-in/oidc/done"
    )
    oidc_audience: str = Field(
        "", description="audience of bearer tokens for the API; empty refuses them"
    )
    oidc_algorithms: tuple[Algorithm, ...] = Field(
        ("RS256", "PS256", "ES256", "ES384", "EdDSA"), description="signatures that are accepted"
    )
    oidc_scopes: tuple[str, ...] = Field(
        ("profile",), description="what is asked of the provider at a sign-in, besides openid"
    )
    oidc_ca: Path | None = Field(
        None, description="PEM file of the CA of the provider's certificate; the system's if none"
    )
    oidc_leeway_s: float = Field(
        60.0, ge=0, le=600, description="how far the provider's clock may be from ours"
    )
    oidc_keys_max_age_min: float = Field(
        10.0, gt=0, le=1_440, description="the provider's keys are read again after this"
    )
    oidc_name_claim: str = Field(
        "preferred_username", description="claim by which the audit trail names somebody"
    )
    oidc_display_name_claim: str = Field("name", description="claim with a person's name")
    oidc_roles_claim: str = Field(
        "roles", description="claim with the names of roles; dots lead into nested claims"
    )
    oidc_role_map: dict[str, str] = Field(
        {}, description="role here by role there; empty when they are named alike"
    )
    oidc_scope_map: dict[str, str] = Field(
        {"system/AuditEvent.rs": "events:read patients:identify"},
        description="scopes here, blank-separated, by scope of a bearer token (SMART, IHE IUA)",
    )
    oidc_sites_claim: str = Field(
        "", description="claim with the sites whose records somebody sees; empty for every site"
    )
    oidc_sources_claim: str = Field(
        "", description="claim with the audit sources whose records somebody sees"
    )
    client_ca: Path | None = Field(
        None, description="PEM file of the CA of API clients' certificates; none asks for none"
    )
    client_certificates: dict[str, str] = Field(
        {}, description="service account by the SHA-256 of its client certificate, in hexadecimal"
    )
    step_up_min: float = Field(
        15.0,
        gt=0,
        description="so long after a proof of identity people may export, have reports made and "
        "see messages as received",
    )
    reason_for: tuple[str, ...] = Field(
        (), description="scopes for whose use a reason must be given (events:export, events:raw …)"
    )
