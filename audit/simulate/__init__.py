"""Days of a hospital, written as audit messages."""
