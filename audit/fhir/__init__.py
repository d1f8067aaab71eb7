"""The trail as FHIR R4 shows and takes it: AuditEvent, ITI-81, the feed of ITI-20; and ITI-82."""
