"""Sockets: TLS options, PKI, receiver, sender, and the socket through which others append."""
