"""What a DICOM application imports to become a Secure Node: SecureNode, over_tls, over_udp.

See docs/secure-node.md.
"""

from audit.emit.connect import TlsRepository, UdpSink, over_tls, over_udp
from audit.emit.outbox import OutboxOptions, Sink
from audit.emit.secure_node import WELL, Ending, SecureNode

__all__ = [
    "WELL",
    "Ending",
    "OutboxOptions",
    "SecureNode",
    "Sink",
    "TlsRepository",
    "UdpSink",
    "over_tls",
    "over_udp",
]
