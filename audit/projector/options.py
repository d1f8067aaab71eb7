"""What a site may set about the derived fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.record.dicom_dataset import DEFAULT_LIMITS as DEFAULT_DATA_SET_LIMITS
from audit.record.dicom_dataset import DataSetLimits
from audit.record.xml_input import DEFAULT_LIMITS as DEFAULT_XML_LIMITS
from audit.record.xml_input import XmlLimits

NS_PER_S = 1_000_000_000
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionOptions:
    """What a site may set about the derived fields.

    Attributes:
        oldest_event_age_s: an event's own time counts when it lies at most so long before receipt.
        newest_event_lead_s: … and at most so long after it.
        import_listeners: listeners whose records keep their own time, however old.
        default_assigners: assigning authority of bare patient identifiers, by AuditSourceID.
        destination_kinds: viewer, archive or outside, by AE title, UserID or address, folded.
        max_values: most values of one field of one record.
        max_value_chars: a longer value is indexed by its beginning.
        max_text_chars: most free text of one record.
        xml_limits: how much of one message is parsed and judged.
        data_set_limits: how much of one query is decoded.
    """

    oldest_event_age_s: int = 45 * DAY_S
    newest_event_lead_s: int = DAY_S
    import_listeners: frozenset[str] = frozenset({"import"})
    default_assigners: Mapping[str, str] = field(default_factory=dict)
    destination_kinds: Mapping[str, str] = field(default_factory=dict)
    max_values: int = 10_000
    max_value_chars: int = 4_096
    max_text_chars: int = 65_536
    xml_limits: XmlLimits = DEFAULT_XML_LIMITS
    data_set_limits: DataSetLimits = DEFAULT_DATA_SET_LIMITS


DEFAULT_OPTIONS = ProjectionOptions()
