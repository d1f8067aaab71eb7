"""What a SIEM reads: records as ECS, OCSF, CEF and syslog, to be fetched or pushed."""
