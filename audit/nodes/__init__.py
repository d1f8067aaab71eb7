"""The demo hospital: real DICOM nodes over DICOM TLS, each a Secure Node that reports its acts.

Nothing here can see the repository's inside: the nodes speak DICOM with one another and syslog
with the collector, as any hospital's would.
"""
