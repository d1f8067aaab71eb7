"""Inputs made to exhaust by what stands in them: texts, queries, data sets, codes, other words."""

import zlib
from base64 import b64encode

from tests.conformance.corpus import changed, example

_GOOD = example("110103")
_QUERY = example("110112", "minimal")
_END = b"</AuditMessage>"
_BEFORE, _, _REST = _QUERY.partition(b"<ParticipantObjectQuery>")
_AFTER = _REST[_REST.index(b"</ParticipantObjectQuery>") :]
_SYNTAX = b64encode(b"1.2.840.10008.1.2.1")
_ELEMENT = b"\x08\x00\x52\x00CS\x02\x00AB"
_SEQUENCE = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
_DEFLATED, _IMPLICIT, _JPEG = (
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2",
    b"1.2.840.10008.1.2.4.50",
)
_OLD = (
    b"<AuditMessage><EventIdentification EventDateTime='2026-03-01T09:30:00Z' "
    b"EventOutcomeIndicator='0'><EventID code='110103'/></EventIdentification>%s"
    b"<AuditSourceIdentification AuditSourceID='x'/>%s</AuditMessage>"
)
_USER = b"<ActiveParticipant UserID='x'><RoleIDCode code='1'/></ActiveParticipant>"
_OBJECT = (
    b"<ParticipantObjectIdentification><ParticipantObjectIDTypeCode code='2'/>%s"
    b"</ParticipantObjectIdentification>"
)


def _inflating(octets: bytes) -> bytes:
    return zlib.compress(octets, 9)[2:-4]


def _text(query: bytes) -> bytes:
    return _BEFORE + b"<ParticipantObjectQuery>" + query + _AFTER


def _query(data_set: bytes, syntax: bytes = b"") -> bytes:
    """A query event whose identifier is the data set, in the transfer syntax."""
    assert _SYNTAX in _AFTER
    whole = _text(b64encode(data_set))
    return whole.replace(_SYNTAX, b64encode(syntax)) if syntax else whole


def _name(octets: bytes) -> bytes:
    return _GOOD.replace(b"CT head", octets)


def _behind(octets: bytes) -> bytes:
    return _GOOD.replace(_END, octets + _END)


def _old(objects: bytes = b"", users: bytes = _USER) -> bytes:
    return _OLD % (users, objects)


_TEXTS = {
    "references in a text": (_name(b"&amp;" * 500_000), ""),
    "references to characters": (_name(b"&#x10FFFF;" * 300_000), ""),
    "references below many elements": (
        _name(b"&lt;" * 300_000).replace(_END, b"<a/>" * 500 + _END),
        "grammar-element-unexpected",
    ),
    "long sequences of UTF-8": (_name("\U0010ffff".encode() * 800_000), ""),
    "surrogates in UTF-8": (_name(b"\xed\xa0\x80"), "xml-not-well-formed"),
    "reference to a surrogate": (_name(b"&#xD800;"), "xml-not-well-formed"),
    "half a pair in UTF-16": (
        _name(b"?").decode().encode("utf-16").replace(b"?\x00", b"\x00\xd8"),
        "xml-not-well-formed",
    ),
    "UCS-4 declared": (_GOOD.replace(b"UTF-8", b"ISO-10646-UCS-4"), "encoding-refused"),
    "UCS-4 in another order": (
        b"\x00\x00<\x00" + _GOOD[1:],
        "xml-not-well-formed",
    ),
    "pieces of CDATA": (_name(b"<![CDATA[x]]>" * 19_000), ""),
    "CDATA that does not end": (_name(b"<![CDATA[" + b"]" * 1_000_000), "xml-not-well-formed"),
    "comments in a query": (_text(b"QUJD<!-- -->" * 19_000), "query-undecodable"),
    "processing instructions": (_behind(b"<?a b?>" * 19_000), ""),
    "a long name": (_behind(b"<" + b"a" * 2_000_000 + b"/>"), "xml-not-well-formed"),
    "a tag of empty lines": (
        _GOOD.replace(b"<ActiveParticipant ", b"<ActiveParticipant " + b"\n" * 2_000_000, 1),
        "",
    ),
    "XInclude as the root": (
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>',
        "wrong-root",
    ),
}
_QUERIES = {
    "a query of blanks": (_text(b" " * 4_000_000), ""),
    "a query in short lines": (_text(b"QUJD\n" * 600_000), "query-undecodable"),
    "a query that ends wrongly": (_text(b"QUJD" * 700_000 + b"*"), "not-base64"),
    "sequences in sequences": (_query(_SEQUENCE * 60_000), "query-undecodable"),
    "implicit sequences": (
        _query(_SEQUENCE.replace(b"SQ\x00\x00", b"") * 60_000, _IMPLICIT),
        "query-undecodable",
    ),
    "an element again and again": (_query(_ELEMENT * 100_000), "query-undecodable"),
    "an element that is too long": (
        _query(b"\x08\x00\x52\x00UN\x00\x00\xf0\xff\xff\xff"),
        "query-undecodable",
    ),
    "a deflated flood": (_query(_inflating(bytes(20_000_000)), _DEFLATED), ""),
    "deflated elements": (_query(_inflating(_ELEMENT * 1_000_000), _DEFLATED), ""),
    "a compressed transfer syntax": (_query(b"\xff\xd8" * 60_000, _JPEG), "query-undecodable"),
    "a transfer syntax without end": (_query(b"x", b"1." * 200_000), "query-undecodable"),
}
_NAMESPACES = {
    "namespaces of their own": (
        _behind(b"".join(b"<p%d:a xmlns:p%d='u:%d'/>" % (n, n, n) for n in range(9_000))),
        "foreign-element",
    ),
    "foreign elements": (
        _behind(b"<x:a xmlns:x='u'>" + b"<x:a x:b=''/>" * 10_000 + b"</x:a>"),
        "foreign-element",
    ),
    "foreign siblings": (
        _GOOD.replace(b"<AuditMessage>", b"<AuditMessage xmlns:x='u'>").replace(
            _END, b"<x:a/>" * 10_000 + _END
        ),
        "foreign-element",
    ),
    "foreign nests": (
        _behind((b"<x:a xmlns:x='u'>" * 30 + b"</x:a>" * 30) * 300),
        "foreign-element",
    ),
}
_VALUES = {
    "wrong UIDs": (
        _GOOD.replace(b"<Accession", b"<MPPS UID='1.02'/>" * 15_000 + b"<Accession", 1),
        "uid-malformed",
    ),
    "wrong instances": (
        _GOOD.replace(
            b'NumberOfInstances="300"/>',
            b'NumberOfInstances="300">' + b"<Instance UID='1.02'/>" * 15_000 + b"</SOPClass>",
        ),
        "uid-malformed",
    ),
    "details that are no base64": (
        _GOOD.replace(
            b"<ParticipantObjectDescription",
            b"<ParticipantObjectDetail type='x' value='*'/>" * 8_000
            + b"<ParticipantObjectDescription",
            1,
        ),
        "not-base64",
    ),
    "types of the event": (
        _GOOD.replace(
            b"</EventIdentification",
            b"<EventTypeCode csd-code='110122' codeSystemName='D' originalText='y'/>" * 6_000
            + b"</EventIdentification",
            1,
        ),
        "code-system-name",
    ),
    "an address of colons": (
        _GOOD.replace(b'ID="10.1.2.9"', b'ID="' + b"::" * 600_000 + b'"'),
        "network-access-point-type",
    ),
    "a name of dots": (
        _GOOD.replace(b'ID="10.1.2.9"', b'ID="' + b"a." * 600_000 + b'!"').replace(
            b'TypeCode="2"', b'TypeCode="1"'
        ),
        "network-access-point-type",
    ),
    "titles of blanks": (
        changed(_GOOD, ("AETITLES=ARCHIVE", f"AETITLES={' ' * 2_000_000}é")),
        "ae-title",
    ),
    "a leap second of many digits": (
        _GOOD.replace(b"09:30:00.000", b"09:30:60." + b"1" * 600_000),
        "event-date-time",
    ),
}
_OLD_WORDS = {
    "many of old": (_old(users=_USER * 4_000), "legacy-requestor"),
    "descriptions of old": (
        _old(
            _OBJECT % (b"<ParticipantObjectDescription>x</ParticipantObjectDescription>" * 6_000)
        ),
        "legacy-description",
    ),
    "classes of old": (
        _old(_OBJECT % (b"<SOPClass UID='1.2'/>" * 8_000)),
        "legacy-number-of-instances",
    ),
    "sources of old": (
        _old().replace(
            b"<AuditSourceIdentification AuditSourceID='x'/>",
            b"<AuditSourceIdentification AuditSourceID='x' code='4'/>" * 4_000,
        ),
        "legacy-audit-source-code",
    ),
}
CONTENTS = _TEXTS | _QUERIES | _NAMESPACES | _VALUES | _OLD_WORDS
