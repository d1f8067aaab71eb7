"""Text as an audit message can carry it.

XML 1.0 forbids most control characters, lone surrogates, U+FFFE and U+FFFF. An audit record must
not be lost over a stray one (it may stand in a patient's name or in what someone typed as a login
name), so free text shows them instead: a control character becomes its picture (U+2400 to U+241F,
ESC becomes ``␛``), anything else forbidden becomes U+FFFD. What is typed by a syntax of its own
(UIDs, AE titles, addresses) is refused instead.
"""

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL_PICTURES = 0x2400
_REPLACEMENT = "\ufffd"
_UID = re.compile(r"(?=.{1,64}\Z)[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_AE_TITLE = re.compile(r"[ -:<-\[\]-~]{1,16}", re.ASCII)
_WHITE_SPACE = re.compile("[ \t\n\r]+")


def _picture(match: re.Match[str]) -> str:
    character = match.group()
    return chr(_CONTROL_PICTURES + ord(character)) if character < " " else _REPLACEMENT


def shown(text: str) -> str:
    """The text with every character that XML 1.0 forbids made visible."""
    return _FORBIDDEN.sub(_picture, text)


def token(text: str) -> str:
    """The text as xsd:token holds it: white space collapsed, forbidden characters shown."""
    return _WHITE_SPACE.sub(" ", shown(text)).strip(" ")


def required(text: str, what: str, clause: str) -> str:
    """The text unchanged.

    Raises:
        TypeError: it isn't text.
        ValueError: it is blank.
    """
    if not isinstance(text, str):
        raise TypeError(f"{what} must be text, not {type(text).__name__} (PS3.15 {clause})")
    if not text.strip():
        raise ValueError(f"{what} must not be blank (PS3.15 {clause})")
    return text


def require_list(values: object, what: str, clause: str) -> None:
    """Refuse a single text where several values stand: it would be taken letter by letter."""
    if isinstance(values, str | bytes):
        raise TypeError(f"{what} is a tuple, not one text (PS3.15 {clause})")


def require_uid(text: str, what: str, clause: str) -> None:
    """Refuse what isn't a UID of at most 64 characters (PS3.5 9.1)."""
    if not _UID.fullmatch(required(text, what, clause)):
        raise ValueError(f"{what} {text!r} is no UID (PS3.5 9.1, PS3.15 {clause})")


def require_ae_title(text: str) -> None:
    """Refuse what isn't an AE title (PS3.5 6.2) or can't stand in a list cut at ``;``."""
    if not _AE_TITLE.fullmatch(required(text, "AE title", "A.5.2")):
        raise ValueError(
            f"{text!r} is no AE title: 1 to 16 characters of ASCII, no backslash, control "
            "character or semicolon (PS3.5 6.2, PS3.15 A.5.2)"
        )
