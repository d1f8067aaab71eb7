"""Demo Secure Nodes: outsiders to the repository."""
