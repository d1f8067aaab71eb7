"""Accounts, sessions, tokens and saved searches."""
