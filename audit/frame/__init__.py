"""Bytes → SYSLOG-MSG. Sans-I/O: octet counting, non-transparent framing, headers."""
