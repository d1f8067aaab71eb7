"""The bounds on judging and decoding messages, from the settings."""

from audit.record.dicom_dataset import DataSetLimits
from audit.record.xml_input import XmlLimits
from audit.settings import Settings


def xml_limits(settings: Settings) -> XmlLimits:
    """How much of one message is parsed and judged."""
    given = settings.validation
    return XmlLimits(
        max_octets=given.max_octets,
        max_nodes=given.max_elements,
        max_attributes=given.max_attributes,
        max_attributes_of_element=given.max_attributes_of_element,
        max_depth=given.max_depth,
        max_parts=given.max_parts,
        raw_text_octets=given.raw_text_octets,
        max_findings=given.max_findings,
    )


def data_set_limits(settings: Settings) -> DataSetLimits:
    """How much of one query is decoded."""
    given = settings.validation
    return DataSetLimits(
        max_octets=given.query_max_octets,
        max_inflated_octets=given.query_max_inflated_octets,
        max_elements=given.query_max_elements,
        max_depth=given.query_max_depth,
        max_value_characters=given.query_max_value_chars,
    )
