"""The search index: a view on the journal that can be rebuilt at any time."""
