"""The composition root: builds the stages, joins them, starts and stops them in order."""
