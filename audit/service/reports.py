"""Reports, put together from settings."""

from audit.query.reports.asked import ReportOptions
from audit.settings import Settings


def report_options(settings: Settings) -> ReportOptions:
    """Bounds of reports."""
    chosen = settings.reports
    return ReportOptions(
        records=chosen.records,
        sources=chosen.sources,
        documents=chosen.documents,
        skew_s=chosen.skew_s,
        silence_days=chosen.silence_days,
        session_gap_s=chosen.session_gap_s,
        longest_days=chosen.longest_days,
    )
