"""SYSLOG-MSG → AuditMessage and findings. No sockets, no storage."""
