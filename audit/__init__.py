"""An ATNA Audit Record Repository: intake, validation, evidence and search of audit messages."""

__version__ = "0.1.0"
