"""Settings of reports."""

from pydantic import Field

from audit.settings.section import Section


class ReportSettings(Section):
    """Reports and what they are held against."""

    records: int = Field(
        20_000, ge=100, le=1_000_000, description="most records that one report looks at"
    )
    sources: int = Field(
        50, ge=1, le=1000, description="most senders that a report tells apart, the busiest"
    )
    documents: int = Field(
        500,
        ge=0,
        le=100_000,
        description="most documents and studies by which records without a patient are attributed",
    )
    skew_s: float = Field(60.0, gt=0, description="a sender's clock off by more is named")
    silence_days: int = Field(
        1, ge=1, description="a sender without a record for so many days on end is named"
    )
    session_gap_s: int = Field(
        1_800, ge=1, description="acts of a user further apart are of different sessions"
    )
    longest_days: int = Field(3_660, ge=1, description="longest period of a report")
