"""Syslog messages as received → the JSON and XML of Retrieve Syslog Event [ITI-82]."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape

import orjson

from audit.frame.syslog import read_header
from audit.record.json_input import clean

_ROOT, _ITEM = "SyslogMessages", "SyslogMessage"
_BOM = "\ufeff"


def message_parts(received: bytes) -> dict[str, str]:
    """A message as its parts, each as text; empty where nothing was sent.

    ``msg-base64`` is there when MSG isn't UTF-8: it alone holds the octets then.
    """
    header = read_header(received)
    msg = received[header.msg_offset :]
    parts = {
        "pri": "" if header.priority is None else str(header.priority),
        "version": str(header.version or ""),
        "timestamp": header.timestamp,
        "hostname": header.hostname,
        "app-name": header.app_name,
        "procid": header.procid,
        "msg-id": header.msgid,
        "structured-data": header.structured_data,
    }
    try:
        text = msg.decode("utf-8")
    except UnicodeDecodeError:
        return parts | {
            "msg": msg.decode("utf-8", "replace"),
            "msg-base64": b64encode(msg).decode("ascii"),
        }
    return parts | {"msg": text.removeprefix(_BOM)}


def as_json(messages: Iterable[dict[str, str]]) -> bytes:
    """An array of objects."""
    return orjson.dumps(list(messages))


def as_xml(messages: Iterable[dict[str, str]]) -> bytes:
    """One element for each message, one inside for each part."""
    items = "".join(f"<{_ITEM}>{_parts(one)}</{_ITEM}>" for one in messages)
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<{_ROOT}>{items}</{_ROOT}>\n'
    return document.encode()


def _parts(message: dict[str, str]) -> str:
    return "".join(
        f"<{name}>{escape(clean(value), quote=False)}</{name}>"
        for name, value in message.items()
        if value
    )
