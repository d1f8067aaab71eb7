"""PageOptions: how the pages present themselves."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from audit.query.admission import StepUp
from audit.query.reports.asked import ReportOptions
from audit.web.oidc.code_flow import CodeFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOptions:
    """How people sign in, and what they have to show again.

    Attributes:
        flow: sign-in over an identity provider; a local sign-in then breaks the glass. Without
            one, local accounts are how everybody signs in.
        step_up: what a page asks for a fresh proof of identity for.
        reason_for: scopes that need a reason.
    """

    flow: CodeFlow | None = None
    step_up: StepUp = field(default_factory=StepUp)
    reason_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """Presentation and session limits of the pages.

    Attributes:
        https: cookies are Secure and carry the ``__Host-`` prefix; only a loopback listener
            without TLS may turn it off.
        zone: the time zone in which pages show times, always with their offset.
        repository_name: stands in the header, for example the hospital's name.
        version: stands in the footer.
        rows: results on one page of the review.
        lag_notice_records: from so many records that aren't searchable yet on, a banner says so;
            fewer stand in small print.
        max_form_octets: largest form body that is read.
        max_form_fields: most fields in one form.
        day_begins: the hour of the day from which work on weekdays is usual.
        day_ends: the hour at which it ends; pages mark what was done outside.
        session_gap_s: a pause longer than this ends a session on a user's page.
        max_shown_octets: of a raw message, how much a page shows; the download has all.
        access: how people sign in, and what they have to show again.
        reports: bounds of reports.
    """

    https: bool = True
    zone: tzinfo = UTC
    repository_name: str = "Audit Record Repository"
    version: str = ""
    rows: int = 50
    lag_notice_records: int = 500
    max_form_octets: int = 65_536
    max_form_fields: int = 60
    day_begins: int = 6
    day_ends: int = 22
    session_gap_s: int = 1_800
    max_shown_octets: int = 65_536
    access: AccessOptions = field(default_factory=AccessOptions)
    reports: ReportOptions = field(default_factory=ReportOptions)
