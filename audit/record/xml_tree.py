"""UTF-8 XML octets → element tree, by lxml with every dangerous ability switched off."""

import re
from functools import cache
from typing import TypeAlias

from lxml import etree

from audit.errors import MalformedMessage
from audit.record.findings import finding
from audit.record.xml_input import DEFAULT_LIMITS, Refused, XmlInput, XmlLimits

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no public name for the type


_PLACE = re.compile(r", line \d+, column \d+$")
"""What libxml2 appends to the reason; line and column are told apart."""
_idle: list[etree.XMLParser] = []
"""Parsers that nobody uses now: one is used by one thread at a time, and then again."""


def _parser(*, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=recover,
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
    )


def read_tree(source: XmlInput, limits: XmlLimits = DEFAULT_LIMITS) -> Element:
    """The root element of prepared octets.

    Raises:
        Refused: the tree is larger or deeper than the limits, or has a document type after all.
        MalformedMessage: the XML is not well-formed; line and column say where.
    """
    try:
        root = _parsed(source.octets)
    except etree.XMLSyntaxError as fault:
        line, column = fault.position
        raise MalformedMessage(
            _PLACE.sub("", str(fault.msg)), max(line, 0) + source.lines_before, max(column, 0)
        ) from None
    _check(root, source, limits)
    return root


def read_part(octets: bytes) -> Element | None:
    """The element that the octets are, one small child of a message; None when they are none."""
    try:
        return _parsed(octets)
    except etree.XMLSyntaxError:
        return None


def _parsed(octets: bytes) -> Element:
    try:
        parser = _idle.pop()
    except IndexError:
        parser = _parser()
    try:
        return etree.fromstring(octets, parser)
    finally:
        _idle.append(parser)


def salvage(source: XmlInput, limits: XmlLimits = DEFAULT_LIMITS) -> Element | None:
    """As much of a message that was cut off as is well-formed; None when nothing is.

    Source: ITI TF-2 3.20 (a repository makes the best of datagrams that were cut off).
    """
    octets = source.octets.decode("utf-8", errors="ignore").encode("utf-8")
    try:
        # recovery may give no root at all, which the type of fromstring doesn't tell
        root: Element | None = etree.fromstring(octets, _parser(recover=True))
        if root is not None:
            _check(root, source, limits)
    except (etree.XMLSyntaxError, Refused):
        return None
    return root


def _check(root: Element, source: XmlInput, limits: XmlLimits) -> None:
    octets = source.octets
    if b"<!DOCTYPE" in octets and root.getroottree().docinfo.internalDTD is not None:
        raise Refused(finding("doctype-refused", "the message has a document type", line=1))
    if len(octets) > limits.max_nodes:
        _check_size(root, limits)


def _check_size(root: Element, limits: XmlLimits) -> None:
    most = limits.max_attributes_of_element
    if _xpath(f"boolean(//*[@*[{most + 1}]])")(root):
        raise Refused(finding("xml-too-many-nodes", f"more than {most} attributes of one element"))
    if _xpath("count(//*)")(root) > limits.max_nodes:
        raise Refused(finding("xml-too-many-nodes", f"more than {limits.max_nodes} elements"))


@cache
def _xpath(expression: str) -> etree.XPath:
    return etree.XPath(expression)


def check_depth(root: Element, limits: XmlLimits = DEFAULT_LIMITS) -> None:
    """Raise Refused when elements are nested deeper than the limit.

    Only needed for trees that no grammar describes; the parser itself stops at 256.
    """
    for element in _xpath(f"({'/*' * (limits.max_depth + 1)})[1]")(root):
        raise Refused(
            finding(
                "xml-too-deep",
                f"nested deeper than {limits.max_depth}",
                line=element.sourceline or 0,
            )
        )
