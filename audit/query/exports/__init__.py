"""Exports: many records at once, in several forms, in constant memory, begin and end journaled."""
