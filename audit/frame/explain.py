"""Says in words why a header is not RFC 5424, by asking an independent parser. Slow; not hot."""

import warnings

_FIELD_NAMES = (
    "PRI and VERSION",
    "TIMESTAMP",
    "HOSTNAME",
    "APP-NAME",
    "PROCID",
    "MSGID",
    "STRUCTURED-DATA",
)
_LONGEST_HEADER_OCTETS = 1024
"""The parser slows with length; no field before STRUCTURED-DATA needs more."""


def explain_header(raw: bytes) -> str:
    """Which part of the header breaks RFC 5424, in words; empty when the parser finds no fault.

    Only the first KiB is looked at. Never raises.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lark imports modules that Python deprecates
        import syslog_rfc5424_parser  # type: ignore[import-untyped]

    head = raw[:_LONGEST_HEADER_OCTETS].decode("latin-1")
    try:
        syslog_rfc5424_parser.SyslogMessage.parse(head)
    except syslog_rfc5424_parser.ParseError as error:
        cause = error.__context__
        ended = getattr(getattr(cause, "token", None), "type", "") == "$END"
        return _words(head, len(head) + 1 if ended else getattr(cause, "column", 0))
    return ""


def _words(head: str, column: int) -> str:
    place = max(0, column - 1)
    name = _FIELD_NAMES[min(head.count(" ", 0, place), len(_FIELD_NAMES) - 1)]
    if place >= len(head):
        return f"the header ends inside {name}"
    return f"octet {place}, in {name}, is {head[place]!a}, which can't stand there"
