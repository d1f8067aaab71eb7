"""Inputs made to exhaust, to leak or to confuse, each with a finding that must be there."""

from tests.conformance.corpus import changed, example
from tests.conformance.hostile_contents import CONTENTS

GOOD = example("110103")
MIB = 1024 * 1024


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><AuditMessage>&l11;</AuditMessage>'.encode()


def _utf_7(text: str) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-7"?>' + text.encode("utf-7")


HOSTILE: dict[str, tuple[bytes, str]] = {
    "external entity": (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><AuditMessage>&x;</AuditMessage>',
        "doctype-refused",
    ),
    "parameter entity": (
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x">%x;]><AuditMessage/>',
        "doctype-refused",
    ),
    "external subset": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x"><a/>', "doctype-refused"),
    "billion laughs": (_laughs(), "doctype-refused"),
    "quadratic entity": (
        b'<!DOCTYPE a [<!ENTITY x "' + b"y" * 100_000 + b'">]><a>' + b"&x;" * 10_000 + b"</a>",
        "doctype-refused",
    ),
    "document type behind a comment": (
        b"<?xml version='1.0'?>\n<!-- <a> --><?pi <b> ?>\n<!DOCTYPE a><a/>",
        "doctype-refused",
    ),
    "document type in lower case": (b"<!doctype html><html></html>", "doctype-refused"),
    "document type in UTF-16": (
        '<?xml version="1.0"?><!DOCTYPE a><a/>'.encode("utf-16"),
        "doctype-refused",
    ),
    "UTF-7 markup": (_utf_7("<AuditMessage><b/></AuditMessage>"), "encoding-refused"),
    "UTF-16 without mark": ("<AuditMessage/>".encode("utf-16-le"), "encoding-refused"),
    "UTF-32": ("<AuditMessage/>".encode("utf-32"), "encoding-refused"),
    "EBCDIC": ("<?xml version='1.0'?><a/>".encode("cp037"), "encoding-refused"),
    "unknown encoding": (
        b'<?xml version="1.0" encoding="x-mine"?><AuditMessage/>',
        "encoding-refused",
    ),
    "broken UTF-16": (b"\xff\xfe<\x00\x00\xd8", "xml-not-well-formed"),
    "broken UTF-8": (
        changed(GOOD, ("CT head", "CT @")).replace(b"@", b"\xff\xfe"),
        "xml-not-well-formed",
    ),
    "overlong UTF-8": (GOOD.replace(b"CT head", b"\xc0\xbc"), "xml-not-well-formed"),
    "NUL": (GOOD.replace(b"CT head", b"a\x00b"), "xml-not-well-formed"),
    "control character": (GOOD.replace(b"CT head", b"a\x1bb"), "xml-not-well-formed"),
    "reference to no character": (GOOD.replace(b"CT head", b"&#0;"), "xml-not-well-formed"),
    "reference to FFFF": (GOOD.replace(b"CT head", b"&#xFFFF;"), "xml-not-well-formed"),
    "unknown entity": (GOOD.replace(b"CT head", b"&nbsp;"), "xml-not-well-formed"),
    "attribute twice": (
        GOOD.replace(b'UserID="815"', b'UserID="815" UserID="816"'),
        "xml-not-well-formed",
    ),
    "second root": (GOOD + GOOD[38:], "xml-not-well-formed"),
    "text behind the root": (GOOD + b"more <x", "xml-cut-off"),
    "unbound prefix": (GOOD.replace(b"<EventID ", b"<x:EventID "), "xml-not-well-formed"),
    "deep": (b"<a>" * 250 + b"</a>" * 250, "xml-too-deep"),
    "deeper": (b"<a>" * 300 + b"</a>" * 300, "xml-not-well-formed"),
    "wide": (b"<AuditMessage>" + b"<a/>" * 1_000_000 + b"</AuditMessage>", "xml-too-many-nodes"),
    "hidden width": (
        b"<AuditMessage><!--" + b"</" * 30_000 + b"-->" + b"<a/>" * 19_000 + b"</AuditMessage>",
        "xml-too-many-nodes",
    ),
    "many attributes": (
        b"<AuditMessage " + b" ".join(b'a%d=""' % n for n in range(200_000)) + b"/>",
        "xml-too-many-nodes",
    ),
    "many namespaces": (
        b"<AuditMessage " + b" ".join(b'xmlns:a%d="u"' % n for n in range(70_000)) + b"/>",
        "xml-too-many-nodes",
    ),
    "as wide as allowed": (
        b"<AuditMessage>" + b"<a b='c'/>" * 19_900 + b"</AuditMessage>",
        "grammar-element-unexpected",
    ),
    "as many attributes as allowed": (
        b"<AuditMessage>"
        + b"".join(b"<a b='' c%d='' d='' e=''/>" % n for n in range(14_000))
        + b"</AuditMessage>",
        "grammar-element-unexpected",
    ),
    "many attributes of one element": (
        b"<AuditMessage " + b" ".join(b'a%d=""' % n for n in range(59_000)) + b"/>",
        "xml-too-many-nodes",
    ),
    "many wrong participants in their place": (
        GOOD.replace(
            b"<AuditSource", b"<ActiveParticipant UserID='' X='1'/>" * 15_000 + b"<AuditSource", 1
        ),
        "grammar-attribute-unexpected",
    ),
    "many odd participants": (
        GOOD.replace(
            b"<AuditSource",
            b"<ActiveParticipant UserID='' UserIsRequestor='1'/>" * 15_000 + b"<AuditSource",
            1,
        ),
        "value-empty",
    ),
    "many odd objects": (
        GOOD.replace(
            b"</AuditMessage>",
            b"<ParticipantObjectIdentification ParticipantObjectID='' "
            b"ParticipantObjectTypeCode='1' ParticipantObjectTypeCodeRole='2'>"
            b"<ParticipantObjectIDTypeCode csd-code='110180' codeSystemName='x' "
            b"originalText='y'/></ParticipantObjectIdentification>" * 6_000 + b"</AuditMessage>",
        ),
        "code-system-name",
    ),
    "many wrong participants": (
        GOOD.replace(
            b"</AuditMessage>",
            b"<ActiveParticipant UserID='' X='1'/>" * 15_000 + b"</AuditMessage>",
        ),
        "grammar-element-unexpected",
    ),
    "huge attribute": (GOOD.replace(b"CT head", b"x" * 11_000_000), "xml-not-well-formed"),
    "huge value": (
        GOOD.replace(b'UserID="815"', b'UserID="' + b"x" * 5_000_000 + b'"'),
        "",
    ),
    "huge comment": (
        b"<!--" + b"x" * 5_000_000 + b"--><AuditMessage/>",
        "grammar-element-missing",
    ),
    "too large": (b"<a>" + b" " * (17 * MIB), "xml-too-large"),
    "nothing but marks": (b"\xef\xbb\xbf" * 3, "not-xml"),
    "XInclude": (
        GOOD.replace(
            b"CT head",
            b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>',
        ),
        "foreign-element",
    ),
    "style sheet": (
        b'<?xml-stylesheet href="http://127.0.0.1:1/a.xsl" type="text/xsl"?><AuditMessage/>',
        "grammar-element-missing",
    ),
    "schema location": (
        GOOD.replace(
            b"<AuditMessage>",
            b'<AuditMessage xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            b'xsi:noNamespaceSchemaLocation="http://127.0.0.1:1/a.xsd">',
        ),
        "foreign-attribute",
    ),
    "date of many digits": (
        changed(GOOD, ("2026-03-01T09:30:00.000", "2026-03-01T09:30:00." + "9" * 1_000_000)),
        "event-date-time",
    ),
    "pattern that backtracks": (
        changed(
            GOOD,
            (
                'AlternativeUserID="AETITLES=ARCHIVE"',
                f'AlternativeUserID="AETITLES={";" * 20_000}"',
            ),
        ),
        "ae-title",
    ),
}
HOSTILE |= CONTENTS
