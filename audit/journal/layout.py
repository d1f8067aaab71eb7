"""Where everything in a journal folder lies; pure name arithmetic.

identity                            who this log is and which keys sign for it
checkpoint                          the newest signed head (C2SP checkpoint)
segments/00000000000000000000.segment   entries, named after the first one's sequence
heads/00000000000000000000.heads    every signed head published while that segment was open
tree/0/000000000                    leaf hashes; tree/1, tree/2 …: roots of 256, 65,536 … leaves
removals/000000000.removal          signed statements of which bodies were lawfully removed
seals/000000000.seal                each ends the time of one signing key and begins the next one's
"""

import re
from pathlib import PurePath

IDENTITY = "identity"
CHECKPOINT = "checkpoint"
SEGMENTS = "segments"
HEADS = "heads"
TREE = "tree"
REMOVALS = "removals"
SEALS = "seals"
SEGMENT_SUFFIX = ".segment"
HEADS_SUFFIX = ".heads"
REMOVAL_SUFFIX = ".removal"
SEAL_SUFFIX = ".seal"
UNFINISHED_SUFFIX = ".tmp"
HASHES_PER_CHUNK = 1 << 20
"""Hashes in one file of the tree: 32 MiB, 4,096 tiles."""
MAX_SEQUENCE = 0xFFFF_FFFF_FFFF_FFFF

_SEQUENCE_DIGITS = 20
_CHUNK_DIGITS = 9
_ORIGIN = re.compile(r"[a-z0-9]{4,16}")
_TILE_WIDTH = 256


def is_origin(text: str) -> bool:
    """Whether the text may name a log: four to sixteen of a-z and 0-9."""
    return _ORIGIN.fullmatch(text) is not None


def segment_name(first_sequence: int) -> str:
    """File name of the segment whose first entry has this sequence."""
    return f"{first_sequence:0{_SEQUENCE_DIGITS}d}{SEGMENT_SUFFIX}"


def heads_name(first_sequence: int) -> str:
    """File name of the heads published while that segment was open."""
    return f"{first_sequence:0{_SEQUENCE_DIGITS}d}{HEADS_SUFFIX}"


def first_sequence(name: str) -> int | None:
    """What the name of a segment or of its heads says; None for any other name."""
    digits, dot, suffix = name.rpartition(".")
    if dot + suffix not in {SEGMENT_SUFFIX, HEADS_SUFFIX} or len(digits) != _SEQUENCE_DIGITS:
        return None
    if not (digits.isascii() and digits.isdigit()) or int(digits) > MAX_SEQUENCE:
        return None
    return int(digits)


def chunk_name(level: int, chunk: int) -> str:
    """Path below the journal of one file of the tree."""
    return f"{TREE}/{level}/{chunk:0{_CHUNK_DIGITS}d}"


def chunk_number(name: str) -> int | None:
    """What the name of one file of the tree says; None for any other name."""
    if len(name) != _CHUNK_DIGITS or not (name.isascii() and name.isdigit()):
        return None
    return int(name)


def removal_name(number: int) -> str:
    """Path below the journal of a statement of removal."""
    return f"{REMOVALS}/{number:0{_CHUNK_DIGITS}d}{REMOVAL_SUFFIX}"


def removal_number(name: str) -> int | None:
    """What the name of a statement of removal says; None for any other name."""
    path = PurePath(name)
    return chunk_number(path.stem) if path.suffix == REMOVAL_SUFFIX else None


def seal_name(number: int) -> str:
    """Path below the journal of the seal that ends the time of key ``number``, from 0."""
    return f"{SEALS}/{number:0{_CHUNK_DIGITS}d}{SEAL_SUFFIX}"


def seal_number(name: str) -> int | None:
    """What the name of a seal says; None for any other name."""
    path = PurePath(name)
    return chunk_number(path.stem) if path.suffix == SEAL_SUFFIX else None


def tile_path(level: int, tile: int, width: int = _TILE_WIDTH) -> str:
    """Path of a tile as C2SP tlog-tiles names it: ``tile/0/x001/x234/067[.p/W]``."""
    suffix = "" if width == _TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{_grouped(tile)}{suffix}"


def _grouped(number: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:  # noqa: PLR2004 — C2SP tlog-tiles groups by three digits
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))
