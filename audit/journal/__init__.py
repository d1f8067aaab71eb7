"""The evidence journal: append-only truth, provable to a stranger."""
