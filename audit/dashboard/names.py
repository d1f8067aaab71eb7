"""Names that several pages show."""

CATEGORY_NAMES = {
    "query": "Query",
    "access": "Access",
    "export": "Export",
    "import": "Import",
    "transfer": "Transfer",
    "deletion": "Deletion",
    "authentication": "Authentication",
    "security": "Security",
    "application": "Application",
    "record": "Record",
    "audit-log-used": "Audit log used",
    "other": "Other",
}
"""Every category in the order charts stack it and lists show it."""

OUTCOME_NAMES = {
    "success": "Success",
    "minor-failure": "Minor failure",
    "serious-failure": "Serious failure",
    "major-failure": "Major failure",
}

PIVOT_KINDS = ("patient", "user", "study", "node", "address")
"""Fields of which a value has a page of its own."""
