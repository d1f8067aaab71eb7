"""AuditSourceIdentification → node, site."""

from audit.projector.field_values import FieldValues
from audit.record.audit_message import AuditSource


def add_source(values: FieldValues, source: AuditSource) -> None:
    """Add what one source says."""
    values.add("node", source.audit_source_id)
    values.add("site", source.audit_enterprise_site_id)
