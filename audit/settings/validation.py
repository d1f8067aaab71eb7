"""Settings of judging messages: how much of one is looked at."""

from pydantic import Field

from audit.settings.section import Section


class ValidationSettings(Section):
    """How much of one message is parsed, judged and decoded; beyond it a finding says so."""

    max_octets: int = Field(
        16 * 1024 * 1024, ge=1024, description="a longer message is not parsed"
    )
    max_elements: int = Field(
        20_000, ge=100, description="a message of more XML elements is not judged"
    )
    max_attributes: int = Field(
        60_000, ge=100, description="a message of more XML attributes and namespaces is not judged"
    )
    max_attributes_of_element: int = Field(
        64, ge=8, description="a message with an element of more attributes is not judged"
    )
    max_depth: int = Field(
        32, ge=6, le=200, description="a message nested deeper, XML or JSON, is not judged"
    )
    max_parts: int = Field(
        2_000,
        ge=10,
        description="participants and objects of one message that are read, each; the grammar "
        "is held against all",
    )
    max_findings: int = Field(100, ge=1, description="findings kept of one message")
    raw_text_octets: int = Field(
        64 * 1024,
        ge=0,
        description="how much of a message that can't be read is offered to free-text search",
    )
    query_max_octets: int = Field(
        64 * 1024, ge=0, description="a longer query is not decoded into keys and values"
    )
    query_max_inflated_octets: int = Field(
        256 * 1024, ge=0, description="a deflated query that is longer unpacked is not decoded"
    )
    query_max_elements: int = Field(
        500, ge=1, description="a query of more DICOM elements, of all levels, is not decoded"
    )
    query_max_depth: int = Field(
        8, ge=1, le=64, description="a query of sequences nested deeper is not decoded"
    )
    query_max_value_chars: int = Field(
        1024, ge=16, description="a longer value of a decoded query is cut off"
    )
