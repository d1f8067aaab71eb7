"""Settings of exports."""

from pydantic import Field

from audit.settings.section import Section


class ExportSettings(Section):
    """Exports that are made in the background, and evidence bundles."""

    kept_h: float = Field(24.0, gt=0, description="how long a finished export can be fetched")
    max_octets: int = Field(
        20 * 1024**3, ge=1024, description="octets of all kept exports together"
    )
    max_running: int = Field(2, ge=1, le=64, description="exports that are made at once")
    max_per_caller: int = Field(10, ge=1, description="kept exports of one caller")
    timestamped_heads: int = Field(
        16, ge=0, description="most heads with a timestamp in an evidence bundle, the newest"
    )
    clock_records: int = Field(
        100, ge=1, le=1000, description="most records about the clock in an evidence bundle"
    )
