"""Who may come in, made from the settings: identity provider, client certificates, policy."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import APIRouter

from audit.api.access import Doorkeeper
from audit.api.administration import create_administration_routes
from audit.dashboard.options import AccessOptions, PageOptions
from audit.dashboard.sign_in import RecordSignIn, SignIn
from audit.errors import ConfigurationError
from audit.query.access import Principal, Scope
from audit.query.admission import StepUp
from audit.query.roles import roles_named
from audit.query.self_audit import SelfAudit
from audit.record.build import Alert, Authentication, Person
from audit.service.own_records import OwnRecords
from audit.settings import Settings
from audit.settings.access import AccessSettings
from audit.state.sessions import Guest
from audit.state.store import StateStore
from audit.web.oidc.claims import guest_of
from audit.web.oidc.code_flow import CodeFlow
from audit.web.oidc.options import OidcOptions
from audit.web.oidc.provider import Provider, require_secure
from audit.web.oidc.tokens import verified
from audit.web.options import WebOptions

_MINUTE_S = 60.0
_FINGERPRINT = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in, and what they have to show.

    Attributes:
        settings: as configured.
        provider: the identity provider; None when there is none.
        reason_for: scopes for whose use a reason must be given.
        certificates: service account by fingerprint.
    """

    settings: AccessSettings
    provider: Provider | None
    reason_for: frozenset[str]
    certificates: dict[str, str]

    @classmethod
    def of(cls, settings: Settings) -> "Access":
        """As the settings say.

        Raises:
            ConfigurationError: they contradict each other, or a file can't be read.
        """
        access = settings.access
        options = oidc_options(access)
        return cls(
            access,
            None if options is None else Provider(options),
            scopes_for_reason(settings),
            _certificates(access),
        )

    def web(self, options: WebOptions) -> WebOptions:
        """The listener's options with what it needs to know whoever comes."""
        bearer = None
        if self.provider is not None and self.provider.options.audience:
            bearer = self._bearer
        certificate = self.certificates.get if self.certificates else None
        return replace(options, bearer=bearer, certificate=certificate, step_up=self._step_up)

    def pages(self, options: PageOptions) -> PageOptions:
        """The pages' options with how people sign in."""
        signs_in = self.provider is not None and self.provider.options.redirect_url
        return replace(
            options,
            access=AccessOptions(
                flow=CodeFlow(self.provider) if self.provider is not None and signs_in else None,
                step_up=self._step_up,
                reason_for=self.reason_for,
            ),
        )

    @property
    def _step_up(self) -> StepUp:
        return StepUp(within_s=self.settings.step_up_min * _MINUTE_S)

    def close(self) -> None:
        """Give connections back."""
        if self.provider is not None:
            self.provider.close()

    def _bearer(self, token: str) -> Guest:
        if self.provider is None:
            raise AssertionError("asked for only with a provider")
        options = self.provider.options
        return guest_of(verified(self.provider, token, options.audience), options)


def oidc_options(access: AccessSettings) -> OidcOptions | None:
    """The identity provider as configured; None when there is none.

    Raises:
        ConfigurationError: something is missing, not secure, or names no role or scope.
    """
    if not access.oidc_issuer:
        return None
    require_secure(access.oidc_issuer)
    if not access.oidc_client_id or not (access.oidc_redirect_url or access.oidc_audience):
        raise ConfigurationError(
            "access.oidc_issuer needs access.oidc_client_id, and access.oidc_redirect_url for "
            "the pages or access.oidc_audience for the API"
        )
    if access.oidc_redirect_url:
        require_secure(access.oidc_redirect_url)
    _check_maps(access)
    return OidcOptions(
        issuer=access.oidc_issuer,
        client_id=access.oidc_client_id,
        client_secret=_secret(access.oidc_client_secret_file),
        redirect_url=access.oidc_redirect_url,
        audience=access.oidc_audience,
        algorithms=tuple(access.oidc_algorithms),
        scopes=access.oidc_scopes,
        leeway_s=access.oidc_leeway_s,
        keys_max_age_s=access.oidc_keys_max_age_min * _MINUTE_S,
        ca_file=access.oidc_ca,
        name_claim=access.oidc_name_claim,
        display_name_claim=access.oidc_display_name_claim,
        roles_claim=access.oidc_roles_claim,
        role_map=access.oidc_role_map,
        scope_map=access.oidc_scope_map,
        sites_claim=access.oidc_sites_claim,
        sources_claim=access.oidc_sources_claim,
    )


def _check_maps(access: AccessSettings) -> None:
    try:
        roles_named(access.oidc_role_map.values())
        for scopes in access.oidc_scope_map.values():
            for scope in scopes.split():
                Scope(scope)
    except ValueError as error:
        raise ConfigurationError(f"access.oidc_role_map, oidc_scope_map: {error}") from error


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"access.oidc_client_secret_file can't be read: {file}"
        ) from error


def scopes_for_reason(settings: Settings) -> frozenset[str]:
    """The scopes for whose use policy wants a reason.

    Raises:
        ConfigurationError: one of them is no scope.
    """
    try:
        return frozenset(map(Scope, settings.access.reason_for))
    except ValueError as error:
        raise ConfigurationError(f"access.reason_for: {error}") from error


def _certificates(access: AccessSettings) -> dict[str, str]:
    known = {
        fingerprint.lower().replace(":", ""): name
        for fingerprint, name in access.client_certificates.items()
    }
    if any(_FINGERPRINT.fullmatch(fingerprint) is None for fingerprint in known):
        raise ConfigurationError(
            "access.client_certificates: a fingerprint is a SHA-256 in hexadecimal, 64 digits; "
            "openssl x509 -noout -fingerprint -sha256 -in FILE prints it"
        )
    if known and access.client_ca is None:
        raise ConfigurationError("access.client_certificates needs access.client_ca")
    return known


def ask_for_certificates(context: ssl.SSLContext | None, settings: Settings) -> None:
    """Have the listener take client certificates of the configured CA; nobody need show one.

    Raises:
        ConfigurationError: the CA's file can't be used.
    """
    ca_file = settings.access.client_ca
    if context is None or ca_file is None:
        return
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"access.client_ca can't be used: {ca_file}: {error}") from error
    context.verify_mode = ssl.CERT_OPTIONAL


def sign_in_recorder(append: Callable[[bytes], int], own: OwnRecords) -> RecordSignIn:
    """Journals sign-ins: each a User Authentication, and an alert when the glass is broken."""

    def record(attempt: SignIn) -> None:
        is_login = attempt.activity == "login"
        user = Person(
            user_id=attempt.name.strip() or "(none given)",
            name=attempt.display_name or None,
            address=attempt.address or own.identity.hostname,
        )
        activity = Authentication.LOGIN if is_login else Authentication.LOGOUT
        append(own.authentication(activity, user, attempt.failure))
        if attempt.emergency and attempt.failure is None:
            append(own.emergency(user, attempt.reason, begins=is_login))

    return record


def administration_routes(
    state: StateStore,
    doorkeeper: Doorkeeper,
    append: Callable[[bytes], int],
    own: OwnRecords,
) -> APIRouter:
    """The routes for accounts, tokens and sessions; looks and changes are journaled first."""
    audit = SelfAudit(append, own.identity, own.clock)

    def change(principal: Principal, what: str) -> None:
        kind = Alert.USER_SECURITY_ATTRIBUTES_CHANGED
        append(own.configuration(principal.name, what, kind))

    return create_administration_routes(state, doorkeeper, change, audit)
