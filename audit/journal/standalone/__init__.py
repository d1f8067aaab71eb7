"""The second verifier: one file, sharing no code with this package, handed out with evidence."""

from importlib.resources import files

VERIFIER_FILE = "verify_evidence.py"


def verifier_source() -> bytes:
    """The file's content, for a folder of evidence."""
    return files(__name__).joinpath(VERIFIER_FILE).read_bytes()
