"""Settings of what a SIEM gets."""

from pydantic import Field

from audit.settings.section import Section


class SiemSettings(Section):
    """What a SIEM gets."""

    patients: bool = Field(
        False,
        description="let what identifies patients leave as it is, to callers with "
        "patients:identify; otherwise pseudonyms leave",
    )
    staff: bool = Field(True, description="let users' names leave as they are, not as pseudonyms")
    original: bool = Field(
        False,
        description="let messages leave as received, to callers with events:raw",
    )
    repeats: bool = Field(False, description="include byte-identical re-deliveries")
    enterprise_number: int = Field(
        32473, ge=1, description="private enterprise number in structured data (RFC 5424 6.3.2)"
    )
    max_limit: int = Field(1_000, ge=1, le=10_000, description="most records of one answer")
    max_wait_s: float = Field(60.0, ge=0, le=600, description="longest wait of an answer")
    max_waiting: int = Field(64, ge=0, description="answers that wait at once")
    max_waiting_per_caller: int = Field(4, ge=0, description="of these, those of one caller")
    poll_s: float = Field(0.5, gt=0, le=60, description="how often new records are looked for")
