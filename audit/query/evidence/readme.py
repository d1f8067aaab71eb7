"""The page in a bundle that says how it is checked."""

_TEXT = """EVIDENCE OF AN AUDIT RECORD REPOSITORY

What this is
  Records of an audit trail, each exactly as it was received, with a proof that it stands unaltered
  in an append-only log whose head was signed. It can be checked anywhere, without the repository,
  without a network, with nothing but Python 3.10 or later.

How to check it
  1. Ask the operator of the repository, over a channel that you trust, for the log's verifier key.
     This bundle says that it is
       {key}
     but who alters a bundle can alter this line too.
  2. Take verify_evidence.py from a source that you trust, or read the one in here first.
  3. Run
       python3 verify_evidence.py bundle BUNDLE.zip --key 'THE-KEY'

  INTACT (exit code 0): every octet of the archive is as it was made, and every record stands in
  the log that this key signs. ALTERED (4): something was changed, added or left out. NOT CHECKED
  (5): no key was given, so the parts fit each other, but nothing tells whose log it is.

What is in it
  export.json            who asked what, why, when, how many records; what was left out
  export/                the log's own record of the beginning of this export, and its proof: it
                         names person, query, reason and the key that signed MANIFEST
  events/NNNNNN.syslog   the messages as received, each behind its length and a blank (RFC 5425)
  events/NNNNNN.proofs   for each message, in the same order, the middle lines of a C2SP tlog-proof
  events/NNNNNN.ndjson   for each message the repository's reading of it, one JSON object a line
  clock/                 the same for its records about whether its own clock was synchronised
  certificates/          certificates of the senders and those above them, named by their SHA-256;
                         anchors.pem: whom the repository trusted when this was made
  log/identity           the log's names and keys
  log/checkpoint         the signed head that all proofs here lead to
  log/heads/             earlier heads with cosignatures of witnesses (.checkpoint) or RFC 3161
                         timestamps (.tsr), and that the log grew from each (.growth)
  MANIFEST               size and SHA-256 of every file here, signed by the exporter's key

By other means
  A whole tlog-proof is the line c2sp.org/tlog-proof@v1, one block of a .proofs file, an empty
  line, and log/checkpoint. A timestamp: openssl ts -verify -data 001.checkpoint -in 001-1.tsr
  -CAfile ROOTS. A sender's certificate is the one whose SHA-256 the record's envelope holds.

What it does not show
  That a sender told the truth, or that its clock was right; each record says when it was received
  by the repository's clock. That these are all records that were asked for, that export.json says
  what was left out, and the repository's reading (.ndjson) are vouched for by the exporter's key
  alone: where a reading matters, read the message; where a missing record does, ask for the log.
"""


def readme(log_key: str) -> bytes:
    """The page, naming the key that the log says is its own."""
    return _TEXT.format(key=log_key).encode()
