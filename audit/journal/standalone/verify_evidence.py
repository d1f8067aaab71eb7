"""Checks evidence of an audit record repository, without the repository and without its code.

    python3 verify_evidence.py proof FILE --key VKEY [--message RAWFILE] [--witness VKEY …]
    python3 verify_evidence.py bundle FILE.zip [--key VKEY] [--witness VKEY …]
    python3 verify_evidence.py consistency FILE --old HEADFILE --key VKEY
    python3 verify_evidence.py journal FOLDER [--key VKEY] [--checkpoint HEADFILE …]
                                       [--master-key KEYFILE]

One file, Python 3.10 or later, standard library only; written from docs/journal-format.md and from
the C2SP texts alone. VKEY is the log's verifier key (NAME+HEX8+BASE64), from a source you trust.
Compressed segments need the package zstandard, encrypted ones cryptography and the master key.
Ends with 0 when all matches, 2 for wrong usage, 4 when something is altered or missing, 5 when not
everything could be checked.
"""

from __future__ import annotations

import argparse
import base64
import functools
import hashlib
import html
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

LOG_KEY, WITNESS_KEY = 1, 4
CHUNK = 1 << 20
LEVELS = 8
MOST_CERTIFICATES = 4096
U64 = 0xFFFF_FFFF_FFFF_FFFF
SEAL = re.compile(
    r"arr-seal 1\nlog ([^\n]+)\nnumber ([0-9]+)\nfirst ([0-9]+)\nsize ([0-9]+)\n"
    r"root ([^\n]+)\nprevious ([^\n]+)\ntime [0-9]+\noverlap [0-9]+\n"
    r"old ([^\n]+)\nnew ([^\n]+)\n"
)
RECORD = re.compile(
    rb"head (0|[1-9][0-9]{0,19})\n([^\n]+\n[^\n]+\n[^\n]+\n\n(?:\xe2\x80\x94 [^\n]+\n)+)\n"
)


class Altered(Exception):
    """Something is not what was signed."""


class Unchecked(Exception):
    """Something could not be checked here."""


def require(condition: object, what: str) -> None:
    """Go on only if it holds."""
    if not condition:
        raise Altered(what)


# ---------------------------------------------------------------- Ed25519 (RFC 8032 5.1)

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T
NEUTRAL: Point = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    left, right = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, product = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = right - left, product - cross, product + cross, right + left
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def decode_point(octets: bytes) -> Point | None:
    """The point, or None when there is none."""
    y = int.from_bytes(octets, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (not x and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


@functools.lru_cache(maxsize=64)
def doublings(octets: bytes) -> tuple[Point, ...]:
    """The point times 1, 2, 4 … 2**255; empty when there is no such point."""
    point = decode_point(octets)
    row = [] if point is None else [point]
    while row and len(row) < 256:
        row.append(add(row[-1], row[-1]))
    return tuple(row)


def times(row: tuple[Point, ...], factor: int) -> Point:
    """A multiple of the point whose doublings these are."""
    total = NEUTRAL
    for number, point in enumerate(row):
        if factor >> number & 1:
            total = add(total, point)
    return total


BASE = (4 * pow(5, P - 2, P) % P).to_bytes(32, "little")


def ed25519_accepts(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the key signed exactly this message."""
    row = doublings(public)
    scalar = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or not row or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    factor = int.from_bytes(digest, "little") % ORDER
    minus = times(tuple((P - x, y, z, P - t) for x, y, z, t in row), factor)
    x, y, z, _ = add(times(doublings(BASE), scalar), minus)
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# ---------------------------------------------------------------- Signed notes and heads (C2SP)


class Key(NamedTuple):
    """A verifier key."""

    name: str
    algorithm: int
    public: bytes
    text: str

    @property
    def key_id(self) -> bytes:
        """What signature lines begin with."""
        octets = bytes([self.algorithm]) + self.public
        return hashlib.sha256(self.name.encode() + b"\n" + octets).digest()[:4]


class Head(NamedTuple):
    """What a signed head says."""

    name: str
    size: int
    root: bytes


def unbase64(text: str) -> bytes:
    """Base64 in its one form."""
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise Altered(f"not base64: {text[:40]!r}") from error
    require(base64.b64encode(octets).decode() == text, "base64 in another than its one form")
    return octets


def number(text: str) -> int:
    """A decimal number of at most 20 digits, in its one form."""
    plain = re.fullmatch("0|[1-9][0-9]{0,19}", text, re.ASCII)
    require(plain, f"not a number: {text[:40]!r}")
    return int(text)


def read_key(text: str, algorithm: int = LOG_KEY) -> Key:
    """A verifier key NAME+HEX8+BASE64."""
    parts = text.split("+", 2)
    require(len(parts) == 3 and parts[0].isprintable() and " " not in parts[0], "no verifier key")
    octets = unbase64(parts[2])
    key = Key(parts[0], octets[0] if octets else 0, octets[1:], text)
    require(len(octets) == 33 and key.algorithm == algorithm, "a key of another kind")
    require(key.key_id.hex() == parts[1], "the key's id does not belong to it")
    return key


def read_text(path: Path) -> str:
    """A file's text."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as error:
        raise Altered(f"{path} is missing") from error
    except UnicodeDecodeError as error:
        raise Altered(f"{path} is no text") from error


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Text and signature lines (name, octets) of a signed note."""
    text, mark, lines = note.rpartition("\n\n")
    require(mark and lines.endswith("\n") and lines.count("\n") <= 64, "no signed note")
    found = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        require(len(parts) == 3 and parts[0] == "\u2014" and parts[1], "no signature line")
        found.append((parts[1], unbase64(parts[2])))
    return text + "\n", found


def unsigned_head(note: str) -> Head:
    """What a head says, whoever signed it."""
    lines = split_note(note)[0].split("\n")
    require(len(lines) == 4 and lines[0] and not lines[3], "a head has three lines")
    head = Head(lines[0], number(lines[1]), unbase64(lines[2]))
    require(len(head.root) == 32, "a root has 32 octets")
    return head


def require_signature(note: str, keys: Iterable[Key]) -> None:
    """One of the keys signed the note, and none signed another text."""
    text, lines = split_note(note)
    signed = False
    for key in keys:
        for name, octets in lines:
            if name == key.name and octets[:4] == key.key_id:
                right = ed25519_accepts(key.public, octets[4:], text.encode())
                require(right, f"the signature of {name} does not match")
                signed = True
    require(signed, "no known key signed it")


def require_signatures_by(note: str, keys: Sequence[Key]) -> None:
    """All these keys signed the note, in this order, and nobody else."""
    found = [(name, octets[:4]) for name, octets in split_note(note)[1]]
    require(found == [(key.name, key.key_id) for key in keys], "not signed by just its keys")
    require_signature(note, keys)


def signed_head(note: str, keys: Iterable[Key]) -> Head:
    """What a head says, when one of the keys signed it and none signed otherwise."""
    require_signature(note, keys)
    return unsigned_head(note)


def cosigned_at(note: str, key: Key) -> int:
    """When a witness cosigned a head, in POSIX seconds."""
    text, lines = split_note(note)
    for name, octets in lines:
        if name == key.name and octets[:4] == key.key_id and len(octets) == 76:
            at = int.from_bytes(octets[4:12], "big")
            signed = f"cosignature/v1\ntime {at}\n{text}".encode()
            right = ed25519_accepts(key.public, octets[12:], signed)
            require(right, f"the cosignature of {name} does not match the head")
            return at
    raise Altered(f"no cosignature of {key.name}")


# ---------------------------------------------------------------- Tree (RFC 6962, RFC 9162)


def leaf_hash(envelope: bytes) -> bytes:
    """Of an envelope."""
    return hashlib.sha256(b"\0" + envelope).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of two nodes."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """Grows leaf by leaf and knows its root."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def append(self, leaf: bytes) -> list[tuple[int, bytes]]:
        """Add a leaf; the (tile level, hash) that it completes, itself included."""
        completed = [(0, leaf)]
        height = 0
        while self.size >> height & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            height += 1
            if height % 8 == 0:
                completed.append((height // 8, leaf))
        self.peaks.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Of all leaves so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        return functools.reduce(lambda right, left: node_hash(left, right), reversed(self.peaks))


def root_by_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Where an inclusion path leads."""
    place, last, node = index, size - 1, leaf
    if not 0 <= index < size:
        return None
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return None if last else node


def grew(old: Head, new: Head, path: list[bytes]) -> bool:
    """Whether a consistency path leads from the one head to the other."""
    if old.size in (0, new.size):
        empty = hashlib.sha256(b"").digest()
        return not path and old.root == (empty if old.size == 0 != new.size else new.root)
    if old.size > new.size or not path:
        return False
    place, last = old.size - 1, new.size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    rest = iter(path)
    first = second = old.root if old.size & (old.size - 1) == 0 else next(rest)
    for node in rest:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, node)
        place, last = place >> 1, last >> 1
    return last == 0 and (first, second) == (old.root, new.root)


# ---------------------------------------------------------------- Proofs


def check_proof(args: argparse.Namespace) -> str:
    """A record's place in the log."""
    top, mark, note = read_text(args.file).partition("\n\n")
    lines = top.split("\n")
    require(mark and len(lines) >= 3 and lines[0] == "c2sp.org/tlog-proof@v1", "no proof")
    require(lines[1].startswith("extra ") and lines[2].startswith("index "), "no proof's lines")
    envelope, index = unbase64(lines[1][6:]), number(lines[2][6:])
    path = [unbase64(line) for line in lines[3:]]
    require(len(path) <= 64 and all(len(node) == 32 for node in path), "no path")
    require(len(envelope) >= 89 and envelope[:5] == b"ARRL\1", "no envelope of a known version")
    sequence, _, _, _, stored = struct.unpack_from(">QQ16sQI", envelope, 7)
    require(sequence == index, "the envelope is that of another record")
    if args.message is not None:
        message = args.message.read_bytes()
        same = len(message) == stored and hashlib.sha256(message).digest() == envelope[-32:]
        require(same, "the message is not the one that the record was made of")
    head = signed_head(note, args.key)
    require(root_by_path(leaf_hash(envelope), index, head.size, path) == head.root, "wrong path")
    told = f"record {index} stands in {head.name} under the head of size {head.size}"
    for witness in args.witness:
        told += f"\ncosigned by {witness.name} at {cosigned_at(note, witness)} (POSIX time)"
    return told if args.message is not None else told + "\nits message was not compared"


def check_consistency(args: argparse.Namespace) -> str:
    """That one head grew from another."""
    top, mark, note = read_text(args.file).partition("\n\n")
    first, *hashes = top.split("\n")
    require(mark and first.startswith("old ") and len(hashes) <= 63, "no consistency proof")
    old, new = signed_head(read_text(args.old), args.key), signed_head(note, args.key)
    require(number(first[4:]) == old.size and old.name == new.name, "a proof about other heads")
    require(grew(old, new, [unbase64(line) for line in hashes]), "the log did not only grow")
    return f"{new.name} grew from {old.size} to {new.size} entries"


# ---------------------------------------------------------------- Segments


class Entry(NamedTuple):
    """One entry as read."""

    sequence: int
    received_at: int
    kind: int
    certificate: bytes
    leaf: bytes
    removed: bool
    end: int


def read_entry(image: bytes, place: int, end: int) -> Entry:
    """The entry at that place."""
    require(end - place >= 70, "an entry is cut short")
    magic, version, form, kind, flags, metadata_length, body_length, checksum = struct.unpack_from(
        ">4sBBBBIII", image, place
    )
    body = place + 20 + metadata_length
    after = body + body_length
    require(magic == b"ARRE" and version == 1 and after <= end, "no entry begins here")
    metadata = image[place + 20 : body]
    content = image[body:after]
    computed = zlib.crc32(content, zlib.crc32(metadata, zlib.crc32(image[place : place + 16])))
    require(computed == checksum, "an entry's checksum does not match")
    require(form in (0, 1) and kind in (1, 2, 3), "an entry of no known form and kind")
    require(metadata_length >= 50, "an entry's metadata is cut short")
    sequence, at, salt, sent, stored, *lengths = struct.unpack_from(">QQ16sQIBBHH", metadata)
    require(metadata_length == 50 + sum(lengths), "an entry's lengths contradict each other")
    require(lengths[0] in (0, 32) and stored <= sent, "an entry's lengths contradict each other")
    if form == 1:
        bare = body_length == 32 and kind != 2 and not any(salt)
        require(bare, "an entry without its body is not in its one form")
        leaf = content
    else:
        require(stored == body_length, "an entry's lengths contradict each other")
        envelope = b"ARRL\1" + bytes([kind, flags]) + metadata + hashlib.sha256(content).digest()
        leaf = leaf_hash(envelope)
    certificate = metadata[50 : 50 + lengths[0]]
    return Entry(sequence, at, kind, certificate, leaf, form == 1, after)


class Segment:
    """A segment file: what its head says, and its octets as they were before it was sealed."""

    def __init__(self, path: Path) -> None:
        octets = path.read_bytes()
        self.name = path.name
        fixed = struct.Struct(">8sBBHIQQBBH")
        require(len(octets) >= fixed.size, f"{self.name}: the head is cut short")
        magic, version, self.encoding, reserved, length, self.first, self.created, *counts = (
            fixed.unpack_from(octets)
        )
        require(magic == b"ARRSEGM1" and version == 1, f"{self.name} is no segment")
        require(fixed.size + 4 <= length <= len(octets), f"{self.name}: the head is cut short")
        checksum = zlib.crc32(octets[: length - 4]).to_bytes(4, "big")
        require(octets[length - 4 : length] == checksum, f"{self.name}: the head's checksum")
        peaks = fixed.size + counts[0]
        known = peaks + 32 * counts[1]
        require(length - 4 == known + 40 * counts[2], f"{self.name}: the head's lengths")
        require(not reserved and self.first.bit_count() == counts[1], f"{self.name}: the head")
        self.origin = octets[fixed.size : peaks].decode("ascii", "replace")
        self.peaks = [octets[place : place + 32] for place in range(peaks, known, 32)]
        self.certificates = [
            struct.unpack_from(">32sQ", octets, place) for place in range(known, length - 4, 40)
        ]
        self.start = length
        self.octets = octets
        self.block_starts: dict[int, int] = {}

    def image(self, master_keys: dict[bytes, bytes]) -> bytes:
        """The plain segment's octets; those of the head are as they stand in the file."""
        if self.encoding > 3:
            raise Unchecked(f"{self.name}: encoding {self.encoding} is unknown here")
        cipher = Cipher(self, master_keys) if self.encoding & 2 else None
        if self.encoding & 1:
            return self.unsealed(cipher)
        return self.octets if cipher is None else self.opened(cipher)

    def opened(self, cipher: Cipher) -> bytes:
        """The image of an encrypted segment that is not sealed."""
        octets, place = self.octets, self.start + cipher.OCTETS
        parts, size = [octets[: self.start]], self.start
        while place < len(octets):
            length = int.from_bytes(octets[place : place + 4], "big")
            frame = octets[place + 4 : place + 4 + 12 + length + 16]
            try:
                require(len(frame) == length + 28, "a frame is cut short")
                parts.append(cipher.open(b"ARRe", size, frame))
            except Altered:
                parts.append(b"\0")  # no entry begins so: the walk decides what that means
                break
            place, size = place + 4 + len(frame), size + length
        return b"".join(parts)

    def unsealed(self, cipher: Cipher | None) -> bytes:
        """The image of a sealed segment, its index and every block checked."""
        octets, size = self.octets, self.start
        place = size + (cipher.OCTETS if cipher else 0)
        blocks, begin = self.index(place)
        parts, number = [octets[:size]], 0
        for held, content, stored, checksum in blocks:
            block = octets[place : place + stored]
            require(place + stored <= begin, f"{self.name}: its blocks are longer than it")
            require(zlib.crc32(block) == checksum, f"{self.name}: the checksum of a block")
            self.block_starts[number] = size
            packed = cipher.open(b"ARRb", size, block) if cipher else block
            parts.append(unpacked(self.name, packed, content))
            number, place, size = number + held, place + stored, size + content
        require(place == begin, f"{self.name}: its index contradicts itself")
        return b"".join(parts)

    def index(self, start: int) -> tuple[list[tuple[int, int, int, int]], int]:
        """The blocks of a sealed segment, and where its index begins."""
        octets = self.octets
        length, mark = struct.unpack(">I4s", octets[-8:])
        begin = len(octets) - length
        require(mark == b"ARRX" and length >= 28 and begin >= start, f"{self.name}: no index")
        index = octets[begin:]
        entries, count = struct.unpack_from(">8xII", index)
        right = index[:8] == b"ARRI\1\0\0\0" and length == 28 + 16 * count
        checksum = zlib.crc32(index[:-12]).to_bytes(4, "big") == index[-12:-8]
        require(right and checksum, f"{self.name}: the index was altered")
        blocks = list(struct.iter_unpack(">IIII", index[16 : 16 + 16 * count]))
        require(blocks and blocks[-1][0] == 0, f"{self.name}: the last block is not the foot's")
        held = sum(block[0] for block in blocks) == entries
        bounded = all(0 < block[0] <= 256 for block in blocks[:-1])
        require(held and bounded, f"{self.name}: its index contradicts itself")
        return blocks, begin


class Cipher:
    """Opens what an encrypted segment holds; needs the package cryptography and the master key."""

    OCTETS = 80

    def __init__(self, segment: Segment, master_keys: dict[bytes, bytes]) -> None:
        self.name = segment.name
        block = segment.octets[segment.start : segment.start + self.OCTETS]
        require(len(block) == self.OCTETS, f"{self.name}: its key is cut short")
        right = zlib.crc32(block[:-4]).to_bytes(4, "big") == block[-4:]
        require(right and block[:8] == b"ARRK\1\0\0\0", f"{self.name}: its key was altered")
        master = master_keys.get(block[8:16])
        if master is None:
            raise Unchecked(
                f"{self.name} is encrypted with the key {block[8:16].hex()}; give --master-key"
            )
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise Unchecked(f"{self.name} is encrypted; install cryptography") from error
        self.invalid = InvalidTag
        head = segment.octets[: segment.start]
        self.aead = AESGCM(master)
        self.aead = AESGCM(self.decrypt(block[16:28], block[28:76], head))

    def open(self, purpose: bytes, offset: int, stored: bytes) -> bytes:
        """What stands at that offset of the image."""
        require(len(stored) >= 28, f"{self.name}: encrypted octets are cut short")
        place = struct.pack(">4sQI", purpose, offset, len(stored) - 28)
        return self.decrypt(stored[:12], stored[12:], place)

    def decrypt(self, nonce: bytes, octets: bytes, place: bytes) -> bytes:
        """AES-256-GCM."""
        try:
            return self.aead.decrypt(nonce, octets, place)
        except self.invalid as error:
            raise Altered(f"{self.name}: encrypted octets were altered") from error


def read_master_keys(path: Path) -> dict[bytes, bytes]:
    """Keys by their ids: 32 raw octets, or one key a line in base64 or hexadecimal."""
    octets = path.read_bytes()
    keys = [octets]
    if len(octets) != 32:
        lines = [line.strip().decode("ascii", "replace") for line in octets.split(b"\n")]
        keys = [
            bytes.fromhex(line) if re.fullmatch("[0-9A-Fa-f]{64}", line) else unbase64(line)
            for line in lines
            if line
        ]
    require(all(len(key) == 32 for key in keys), f"{path} holds no keys")
    return {hashlib.sha256(b"arr-journal-key\0" + key).digest()[:8]: key for key in keys}


def unpacked(name: str, block: bytes, size: int) -> bytes:
    """A block's content."""
    try:
        import zstandard
    except ImportError as error:
        raise Unchecked(f"{name} is compressed; install the package zstandard") from error
    try:
        require(zstandard.frame_content_size(block) == size, f"{name}: the size of a block")
        content = zstandard.ZstdDecompressor().decompress(block, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Altered(f"{name}: a block can't be unpacked: {error}") from error
    require(len(content) == size, f"{name}: the size of a block")
    return content


# ---------------------------------------------------------------- Statements of lawful removal


class Removal:
    """A signed statement, and what was found of the entries that it names."""

    SPAN = "[0-9]+(?:-[0-9]+)?"
    TEXT = re.compile(
        "arr-removal 1\nlog ([^\n]+)\nnumber ([0-9]+)\nsize ([0-9]+)\ntime ([0-9]+)"
        f"\nreason ([^\n]+)\nsegment ([0-9]+)\nentries ({SPAN}(?: {SPAN})*)\ndigest ([^\n]+)\n"
    )

    def __init__(self, name: str, text: str, number_wanted: int, log: str) -> None:
        match = self.TEXT.fullmatch(text)
        if match is None:
            raise Altered(f"{name} is no statement of removal")
        self.name = name
        require(match[1] == log and number(match[2]) == number_wanted, f"{name}: not its place")
        self.segment, self.digest = number(match[6]), unbase64(match[8])
        size, _ = number(match[3]), number(match[4])
        self.wanted: list[int] = []
        last = -2
        for span in match[7].split(" "):
            first, _, end = span.partition("-")
            start, stop = number(first), number(end or first)
            require(last + 1 < start and (not end or start < stop), f"{name}: its entries")
            self.wanted += range(start, stop + 1)
            last = stop
        right = self.segment <= self.wanted[0] and last < size and len(self.digest) == 32
        short = len(match[5]) <= 2000 and match[5].isprintable()
        require(right and short, f"{name}: not in its one form")
        self.left = hashlib.sha256()
        self.found = 0

    def check(self) -> None:
        """Carried out whole, or not at all."""
        whole = self.found == len(self.wanted) and self.left.digest() == self.digest
        require(self.found == 0 or whole, f"{self.name}: what is left is not what it tells")


def foot(offsets: list[int], times: list[int], root: bytes) -> bytes:
    """The foot that follows from a segment's entries."""
    span = (min(times), max(times)) if times else (0, 0)
    octets = struct.pack(">4sB3xIQQ", b"ARRF", 1, len(offsets), *span)
    octets += struct.pack(f">{len(offsets)}Q", *offsets) + root
    octets += zlib.crc32(octets).to_bytes(4, "big")
    return octets + struct.pack(">I4s", len(octets) + 8, b"ARRZ")


# ---------------------------------------------------------------- A whole journal


class Journal:
    """A journal's folder and what its checked parts told so far."""

    def __init__(self, folder: Path, trusted: list[Key], elsewhere: list[str]) -> None:
        self.folder = folder
        self.master_keys: dict[bytes, bytes] = {}
        self.tree = Tree()
        self.certificates: dict[bytes, int] = {}
        self.certificates_known = True
        self.notes: list[str] = []
        self.unchecked: list[str] = []
        self.removed = 0
        self.read_identity(trusted)
        # In this order, so that a writer beside us only adds to what was read before.
        shown = read_text(self.folder / "checkpoint")
        self.own_head(shown)
        histories = set(self.numbered("heads", ".heads"))
        self.firsts = sorted(self.numbered("segments", ".segment"))
        require(self.firsts and self.firsts[0] == 0, "segments: the first one is missing")
        self.heads = self.read_heads(shown, histories)
        self.covered = max(self.heads)
        self.read_seals()
        for note in elsewhere:
            head = signed_head(note, [key for _, key in self.keys] + trusted)
            require(head.name == self.name, "a head of another log")
            same = self.heads.setdefault(head.size, head.root) == head.root
            require(same, f"another head of size {head.size} was signed for others")
        self.rows = [self.read_row(level) for level in range(LEVELS)]
        self.removals = self.read_removals()

    def numbered(self, folder: str, suffix: str) -> Iterator[int]:
        """Sequences that the names in a folder tell."""
        for path in (self.folder / folder).glob("*" + suffix):
            if re.fullmatch("[0-9]{20}", path.stem, re.ASCII) and int(path.stem) <= U64:
                yield int(path.stem)

    def read_identity(self, trusted: list[Key]) -> None:
        """Who the log is and which key signs from which size on."""
        text = read_text(self.folder / "identity")
        lines = text.split("\n")
        require(len(lines) >= 5 and lines[0] == "arr-journal 1" and not lines[-1], "identity")
        self.origin = lines[1][len("origin ") :]
        self.name = lines[2][len("name ") :]
        self.keys = []
        for line in lines[3:-1]:
            since, _, key = line[len("key ") :].partition(" ")
            self.keys.append((number(since), read_key(key)))
        rebuilt = [f"arr-journal 1\norigin {self.origin}\nname {self.name}\n"]
        rebuilt += [f"key {since} {key.text}\n" for since, key in self.keys]
        require("".join(rebuilt) == text, "identity is not in its one form")
        starts = [since for since, _ in self.keys]
        require(starts == sorted(set(starts)) and starts[0] == 0, "identity: keys rise from 0")
        require(all(key.name == self.name for _, key in self.keys), "identity: a key's name")
        require(re.fullmatch("[a-z0-9]{4,16}", self.origin), "identity: the origin")
        known = [key.text for key in trusted]
        is_known = any(key.text in known for _, key in self.keys)
        require(not trusted or is_known, "none of the keys is trusted")

    def own_head(self, note: str) -> Head:
        """A head signed by the key in force at its size, and perhaps by the one before."""
        head = unsigned_head(note)
        keys = [key for since, key in self.keys if since <= head.size][::-1]
        require_signatures_by(note, keys[: min(2, len(split_note(note)[1]))])
        require(head.name == self.name, "a head of another log")
        return head

    def read_heads(self, shown: str, histories: set[int]) -> dict[int, bytes]:
        """Root by size of every head in the history, which holds the checkpoint too."""
        roots: dict[int, bytes] = {}
        count, kept = 0, False
        for first in histories - set(self.firsts):
            empty = not (self.folder / "heads" / f"{first:020d}.heads").stat().st_size
            require(empty and first > self.firsts[-1], "heads: some belong to no segment")
        for first in self.firsts:
            path = self.folder / "heads" / f"{first:020d}.heads"
            octets = path.read_bytes() if path.exists() else b""
            place = 0
            while match := RECORD.match(octets, place):
                note = match[2].decode("utf-8", "replace")
                head = self.own_head(note)
                require(int(match[1]) == count, f"{path.name}: head {count} is missing")
                rises = head.size > max(roots, default=-1) and head.size >= first
                require(rises, f"{path.name}: head {count} is out of order")
                roots[head.size] = head.root
                kept = kept or note == shown
                place, count = match.end(), count + 1
            if first != self.firsts[-1]:
                following = self.firsts[self.firsts.index(first) + 1]
                whole = place == len(octets) and max(roots, default=-1) == following
                require(whole, f"{path.name} does not end with the head of its segment's end")
            elif place != len(octets):
                self.notes.append(f"an unfinished head ends {path.name}")
        require(kept, "the checkpoint is not in the history as it stands")
        return roots

    def read_seals(self) -> None:
        """Each ends the time of one key and begins the next one's, and both signed it."""
        found = (self.folder / "seals").glob("*.seal")
        paths = sorted(path for path in found if re.fullmatch("[0-9]{9}", path.stem))
        require(len(paths) == len(self.keys) - 1, "seals: one for each change of keys")
        size, root = 0, hashlib.sha256(b"").digest()
        for count, path in enumerate(paths):
            note = read_text(path)
            (_, old), (since, new) = self.keys[count : count + 2]
            require_signatures_by(note, [old, new])
            match = SEAL.fullmatch(split_note(note)[0])
            told = match.groups() if match else ()
            named = (self.name, str(count), str(size), str(since - 1), old.text, new.text)
            require(told[:4] + told[6:] == named, f"{path.name} does not follow")
            require(int(path.stem) == count, f"{path.name} stands in another's place")
            require(unbase64(told[5]) == root, f"{path.name} does not follow")
            size, root = since - 1, unbase64(told[4])
            require(self.heads.get(size) == root, f"{path.name}: another head of size {size}")

    def read_row(self, level: int) -> bytes:
        """The hashes of a level that lie below the newest head."""
        wanted = (self.covered >> 8 * level) * 32
        row = b""
        for chunk in range(-(-wanted // (32 * CHUNK))):
            path = self.folder / "tree" / str(level) / f"{chunk:09d}"
            require(path.exists(), f"{path.name} of tree level {level} is missing")
            row += path.read_bytes()[: 32 * CHUNK]
        require(len(row) >= wanted, f"hashes of tree level {level} are missing")
        return row[:wanted]

    def read_removals(self) -> dict[int, Removal]:
        """The statement that names each entry whose body is gone by right."""
        named: dict[int, Removal] = {}
        self.statements: list[Removal] = []
        paths = (self.folder / "removals").glob("*.removal")
        for count, path in enumerate(sorted(p for p in paths if re.fullmatch("[0-9]{9}", p.stem))):
            require(int(path.stem) == count, f"statement {count} of removal is missing")
            note = read_text(path)
            text = split_note(note)[0]
            removal = Removal(path.name, text, count, self.name)
            size = int(text.split("\n")[3][len("size ") :])
            key = [key for since, key in self.keys if since <= size][-1]
            require_signatures_by(note, [key])
            require(removal.segment in self.firsts, f"{path.name}: its segment is not there")
            self.statements.append(removal)
            for sequence in removal.wanted:
                require(sequence not in named, f"{path.name}: entry {sequence} is named twice")
                named[sequence] = removal
        return named

    def check(self) -> str:
        """Every segment in order."""
        for first, following in zip(self.firsts, [*self.firsts[1:], None], strict=True):
            segment = Segment(self.folder / "segments" / f"{first:020d}.segment")
            self.check_head(segment, first)
            self.check_root()
            try:
                image = segment.image(self.master_keys)
            except Unchecked as error:
                self.unchecked.append(str(error))
                self.pass_over(following)
            else:
                self.check_segment(segment, image, following)
                for removal in self.statements:
                    if removal.segment == first:
                        removal.check()
        ends = max(self.heads) <= self.tree.size
        require(ends, f"the journal ends at {self.tree.size}, a head covers {max(self.heads)}")
        told = f"{self.tree.size} entries in {len(self.firsts)} segments of {self.name}"
        told += f", {self.covered} below the newest of {len(self.heads)} signed heads"
        if self.removed:
            told += f", {self.removed} bodies removed by signed statements"
        if self.unchecked:
            raise Unchecked("\n".join([*self.unchecked, f"all else is intact: {told}"]))
        return "\n".join([told, f"key {self.keys[-1][1].text}", *self.notes])

    def check_head(self, segment: Segment, first: int) -> None:
        """What a segment's head says follows from the entries before it."""
        require(
            segment.first == first == self.tree.size
            and segment.origin == self.origin
            and segment.peaks == self.tree.peaks,
            f"{segment.name}: the head does not follow from the entries before it",
        )
        told = segment.certificates
        if self.certificates_known:
            right = told == list(self.certificates.items())
            require(right, f"{segment.name}: the head's certificates are not those of the entries")
        self.certificates, self.certificates_known = dict(told), True

    def pass_over(self, following: int | None) -> None:
        """Go on behind a segment that can't be read here, by the leaf hashes that were kept."""
        end = self.covered if following is None else following
        while self.tree.size < end:
            place = self.tree.size * 32
            self.take(self.rows[0][place : place + 32], "tree level 0")
        self.certificates_known = False

    def check_segment(self, segment: Segment, image: bytes, following: int | None) -> None:
        """Each entry, each signed root on the way, and the end."""
        place = segment.start
        offsets: list[int] = []
        times_at: list[int] = []
        while self.tree.size != following and place < len(image):
            where = f"{segment.name}, offset {place}"
            try:
                entry = read_entry(image, place, len(image))
            except Altered as error:
                end = foot(offsets, times_at, self.tree.root())
                if image[place:] != end:
                    self.require_tail(segment, place, following, str(error))
                return
            require(entry.sequence == self.tree.size, f"{where}: another entry stands here")
            if entry.removed:
                self.take_removed(entry, image[place : entry.end], where)
            offsets.append(place)
            times_at.append(entry.received_at)
            self.take(entry.leaf, where)
            if entry.kind == 2:
                self.note_certificate(entry)
            place = entry.end
        if following is not None:
            end = foot(offsets, times_at, self.tree.root())
            whole = self.tree.size == following and image[place:] == end
            require(
                whole, f"{segment.name}: the end is not the foot that follows from its entries"
            )
            starts = [*offsets, place]
            blocks = all(starts[number] == at for number, at in segment.block_starts.items())
            require(blocks, f"{segment.name}: a block does not begin where its index tells")

    def require_tail(self, segment: Segment, place: int, following: int | None, why: str) -> None:
        """Octets that are no entry may only be the torn end of all, above every signed head."""
        last = following is None and self.tree.size >= self.covered
        require(last, f"{segment.name}, offset {place}, sequence {self.tree.size}: {why}")
        self.notes.append(f"an unfinished write ends {segment.name} at offset {place}")

    def take(self, leaf: bytes, where: str) -> None:
        """Put a leaf into the tree and compare with what was kept and signed."""
        for level, node in self.tree.append(leaf):
            place = ((self.tree.size >> 8 * level) - 1) * 32
            kept = self.rows[level][place : place + 32]
            require(kept in (b"", node), f"{where}: not the entry whose leaf hash was kept")
        self.check_root()

    def take_removed(self, entry: Entry, octets: bytes, where: str) -> None:
        """An entry without its body needs a statement."""
        removal = self.removals.get(entry.sequence)
        if removal is None:
            raise Altered(f"{where}: entry {entry.sequence} was removed, no statement says why")
        removal.found += 1
        removal.left.update(octets)
        self.removed += 1

    def note_certificate(self, entry: Entry) -> None:
        """Which certificates the next head must name."""
        self.certificates.pop(entry.certificate, None)
        self.certificates[entry.certificate] = entry.sequence
        if len(self.certificates) > MOST_CERTIFICATES:
            del self.certificates[next(iter(self.certificates))]

    def check_root(self) -> None:
        """The root is the signed one wherever a head was signed."""
        signed = self.heads.get(self.tree.size)
        right = signed is None or signed == self.tree.root()
        require(right, f"entries up to {self.tree.size} are not those that a signed head covers")


def check_journal(args: argparse.Namespace) -> str:
    """A whole journal."""
    folder = args.folder / "journal" if (args.folder / "journal").is_dir() else args.folder
    if not folder.is_dir() or not any(folder.iterdir()):
        raise Unchecked(f"{folder} holds no journal")
    journal = Journal(folder, args.key, [read_text(path) for path in args.checkpoint])
    if args.master_key is not None:
        journal.master_keys = read_master_keys(args.master_key)
    return journal.check()


# ---------------------------------------------------------------- Evidence bundles

LOCAL = struct.Struct("<4s5H3I2H")
NETWORK = ("tls", "udp", "tcp", "fhir", "import")
ATTRIBUTE = re.compile(' ([A-Za-z]+)="([^"]*)"')
LOOSE = ("README.txt", "verify_evidence.py", "certificates/anchors.pem")


class Bundle:
    """An evidence bundle, member by member; nothing in it has more than one form."""

    def __init__(self, trusted: list[Key]) -> None:
        self.trusted = trusted
        self.keys: list[Key] = []
        self.note = ""
        self.head = Head("", 0, b"")
        self.lines: list[str] = []
        self.directory = b""
        self.place = 0
        self.sealed = False
        self.pending: dict[str, bytes] = {}
        self.chunk = ""
        self.older: list[str] = []
        self.facts: dict[str, object] = {}
        self.counts = {"export": 0, "events": 0, "clock": 0}
        self.named: set[str] = set()
        self.certificates: set[str] = set()
        self.begin = b""
        self.begun = -1

    def members(self, file: BinaryIO) -> Iterator[tuple[str, bytes]]:
        """Names and contents; the container's octets must be those that follow from them."""
        while (head := file.read(LOCAL.size))[:4] == b"PK\3\4":
            require(len(head) == LOCAL.size, "the archive is cut short")
            *_, length, name_length, _ = LOCAL.unpack(head)
            name, content = file.read(name_length), file.read(length)
            facts = (45, 0x0800, 0, 0, 33, zlib.crc32(content), len(content), len(content))
            expected = LOCAL.pack(b"PK\3\4", *facts, len(name), 0)
            require(head == expected, f"the archive is altered at octet {self.place}")
            self.note_member(name, facts, len(head) + len(name) + len(content))
            try:
                yield name.decode(), content
            except UnicodeDecodeError as error:
                raise Altered("a member's name is no text") from error
        ending = self.ending()
        rest = head + file.read(len(ending))  # one octet more than there may be, never all of it
        require(rest == ending, "the archive's directory is altered")

    def note_member(self, name: bytes, facts: tuple[int, ...], length: int) -> None:
        """Write the member's line of the directory."""
        most = 0xFFFF_FFFF
        far = struct.pack("<HHQ", 1, 8, self.place) if self.place >= most else b""
        tail = (len(name), len(far), 0, 0, 0, 0, min(self.place, most))
        self.directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", 45, *facts, *tail) + name + far
        self.place += length

    def ending(self) -> bytes:
        """What must follow the last member."""
        count, size, start = len(self.lines) + self.sealed, len(self.directory), self.place
        far = b""
        if count >= 0xFFFF or start >= 0xFFFF_FFFF:
            far = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
            far += struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
        few, near = min(count, 0xFFFF), min(start, 0xFFFF_FFFF)
        end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, few, few, size, near, 0)
        return self.directory + far + end

    def take(self, name: str, content: bytes) -> None:
        """Check one member."""
        require(not self.sealed, f"{name} was added after the manifest")
        if name == "MANIFEST":
            self.check_manifest(text_of(content, name))
            self.sealed = True
            return
        self.lines.append(f"{hashlib.sha256(content).hexdigest()} {len(content)} {name}")
        folder, _, file = name.rpartition("/")
        if folder in self.counts and re.fullmatch(r"[0-9]{6}\.(ndjson|syslog|proofs)", file):
            self.take_series(folder, file, content)
        elif folder == "certificates" and file.endswith(".der"):
            require(hashlib.sha256(content).hexdigest() == file[:-4], f"{name} is another one")
            self.certificates.add(file[:-4])
        elif folder == "log/heads":
            self.take_head(name, content)
        elif name == "log/identity":
            self.take_identity(text_of(content, name))
        elif name == "log/checkpoint":
            self.take_checkpoint(text_of(content, name))
        elif name == "export.json":
            self.facts = object_of(content, name)
        else:
            require(name in LOOSE, f"{name} does not belong into a bundle")

    def take_identity(self, text: str) -> None:
        """Which keys the log says are its own; nobody signed this list, so it vouches for none."""
        lines = [line[len("key ") :].partition(" ")[2] for line in text.split("\n")[3:-1]]
        require(lines and not self.keys, "log/identity: one that names keys")
        self.keys = [read_key(line) for line in lines]

    def take_checkpoint(self, note: str) -> None:
        """The head that everything is proved under: signed by a key that was given, if any was."""
        require(not self.note, "there are two heads")
        keys = self.trusted or self.keys[-1:]
        self.note, self.head = note, signed_head(note, keys)
        named = {key.name for key in (*keys, *self.keys)}
        require(named == {self.head.name}, "the keys are those of other logs")

    def take_head(self, name: str, content: bytes) -> None:
        """An earlier head, what stamps it, and that the log grew from it."""
        if name.endswith(".checkpoint"):
            self.older.append(text_of(content, name))
            signed_head(self.older[-1], self.keys)
            return
        require(self.older, f"{name} stands before its head")
        if name.endswith(".growth"):
            top, _, note = text_of(content, name).partition("\n\n")
            first, *hashes = top.split("\n")
            old, path = unsigned_head(self.older[-1]), [unbase64(line) for line in hashes]
            same = first == f"old {old.size}" and note == self.note
            require(same and grew(old, self.head, path), f"{name}: the log did not only grow")
        else:
            stamped = hashlib.sha256(self.older[-1].encode()).digest() in content
            require(name.endswith(".tsr") and stamped, f"{name} stamps something else")

    def take_series(self, folder: str, file: str, content: bytes) -> None:
        """Keep a chunk's members until the last one, its proofs, comes."""
        chunk = f"{folder}/{file[:6]}"
        require(not self.pending or self.chunk == chunk, f"{self.chunk} has no proofs")
        self.chunk = chunk
        self.pending[file[7:]] = content
        if not file.endswith(".proofs"):
            return
        messages = list(counted_messages(self.pending.get("syslog", b"")))
        blocks = text_of(content, file).split("\n\n")
        require(blocks.pop() == "" and len(blocks) == len(messages), f"{folder}/{file}: proofs")
        told = [object_of(line, file) for line in self.pending.get("ndjson", b"").splitlines()]
        require(len(told) in (len(blocks), 0 if folder == "export" else -1), f"{file}: events")
        for place, (block, message) in enumerate(zip(blocks, messages, strict=True)):
            sequence = self.check_record(folder, block, message)
            same = not told or told[place].get("sequence") == sequence
            require(same, f"{folder}/{file}: the reading of record {sequence} is of another")
        self.counts[folder] += len(blocks)
        self.pending = {}

    def check_record(self, folder: str, block: str, message: bytes) -> int:
        """A message's place in the log; its sequence."""
        lines = block.split("\n")
        right = len(lines) >= 2 and lines[0].startswith("extra ") and lines[1].startswith("index ")
        require(right and len(lines) <= 66, "no proof's lines")
        envelope, index = unbase64(lines[0][6:]), number(lines[1][6:])
        path = [unbase64(line) for line in lines[2:]]
        require(len(envelope) >= 89 and envelope[:5] == b"ARRL\1", "no envelope")
        sequence, _, _, _, stored, fingerprint, listener = struct.unpack_from(
            ">QQ16sQIBB", envelope, 7
        )
        same = len(message) == stored and hashlib.sha256(message).digest() == envelope[-32:]
        require(same and sequence == index, f"record {index}: the message is another one")
        root = root_by_path(leaf_hash(envelope), index, self.head.size, path)
        require(root == self.head.root, f"record {index} does not stand in the log")
        after = 57 + fingerprint
        if fingerprint and folder == "events":
            self.named.add(envelope[57:after].hex())
        if folder == "export":
            door = envelope[after : after + listener].decode("utf-8", "replace")
            require(door not in NETWORK, "the record of the beginning came from outside")
            self.begin, self.begun = message, index
        return index

    def check_manifest(self, note: str) -> None:
        """The exporter's key, which the log names, signed the list of all that is here."""
        lines = split_note(note)[0].split("\n")
        require(len(lines) > 3 and lines[0] == "arr-evidence 1", "no manifest")
        key = read_key(lines[2])
        require_signature(note, [key])
        require(lines[1] == self.head.name, "the manifest is about another log")
        require(lines[3:-1] == self.lines, "what is here is not what the manifest names")
        require(split_note(note)[1][1:] == [], "the manifest has more than one signature")
        require(not self.pending, f"{self.chunk} has no proofs")
        self.check_begin(key)
        require(self.facts.get("count") == self.counts["events"], "the number of records")

    def check_begin(self, exporter: Key) -> None:
        """The log's record of the beginning names this exporter, and who asked what and why.

        Each must stand in its own place: what people ask and give as reason is in the log too,
        and somebody may have written a key into it.
        """
        requestors, details = began(self.begin)
        facts = self.facts
        stated = {"export": "begun", "format": "evidence", "exporter key": exporter.text}
        stated |= {name: str(facts.get(name) or "") for name in ("query", "reason")}
        for name, value in stated.items():
            same = details.get(name, [""]) == [value]
            require(same, f"the log's record of the export says otherwise: {name}")
        same = requestors == [facts.get("person")]
        require(same, "the log's record of the export names another person")
        place = str(facts.get("begin_record")).rpartition("-")[2]
        right = place == str(self.begun) and facts.get("exporter_key") == exporter.text
        require(right and self.counts["export"] == 1, "another record of the beginning")

    def told(self, witnesses: list[Key]) -> str:
        """What was found."""
        require(self.sealed, "the archive has no manifest")
        count, size = self.counts["events"], self.head.size
        by, at = self.facts.get("person"), self.facts.get("asked_at")
        said = [f"{count} records of {self.head.name} under the head of size {size}"]
        said.append(f"exported by {by}, asked at {at}")
        for witness in witnesses:
            heads = [one for one in self.older if f" {witness.name} " in one]
            require(heads, f"no head with a cosignature of {witness.name}")
            said.append(f"cosigned by {witness.name} at {cosigned_at(heads[0], witness)} (POSIX)")
        if missing := self.named - self.certificates:
            said.append(f"{len(missing)} certificates of senders are not in the bundle")
        return "\n".join(said)


def text_of(content: bytes, name: str) -> str:
    """A member's text."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Altered(f"{name} is no text") from error


def began(message: bytes) -> tuple[list[str], dict[str, list[str]]]:
    """Who asked for an export, and the details by their type, of the log's own record of it.

    The log writes each value with every quote and angle bracket escaped, so none can end a tag.
    """
    tags = re.findall("<([A-Za-z]+)( [^<>]*)", text_of(message, "the record of the beginning"))
    asked: list[str] = []
    details: dict[str, list[str]] = {}
    for name, written in tags:
        said = {key: html.unescape(value) for key, value in ATTRIBUTE.findall(written)}
        if name == "ActiveParticipant" and said.get("UserIsRequestor") == "true":
            asked.append(said.get("UserID", ""))
        if name == "ParticipantObjectDetail":
            value = text_of(unbase64(said.get("value", "")), "a detail")
            details.setdefault(said.get("type", ""), []).append(value)
    return asked, details


def object_of(content: bytes, name: str) -> dict[str, object]:
    """A JSON object."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Altered(f"{name} is no JSON") from error
    require(isinstance(told, dict), f"{name} holds no object")
    return dict(told)


def counted_messages(octets: bytes) -> Iterator[bytes]:
    """Messages, each behind its length and a blank."""
    place = 0
    while place < len(octets):
        blank = octets.find(b" ", place, place + 21)
        require(blank > 0, "a message without its length")
        start = blank + 1
        end = start + number(text_of(octets[place:blank], "a length"))
        require(end <= len(octets), "a message is cut short")
        yield octets[start:end]
        place = end


def check_bundle(args: argparse.Namespace) -> str:
    """A whole bundle."""
    bundle = Bundle(args.key)
    with args.file.open("rb") as file:
        for name, content in bundle.members(file):
            bundle.take(name, content)
    told = bundle.told(args.witness)
    if not args.key:
        key = bundle.keys[-1].text
        raise Unchecked(f"give --key; all parts fit each other by the key {key}: {told}")
    return told


# ---------------------------------------------------------------- The command


def arguments(given: list[str] | None) -> argparse.Namespace:
    """What to check."""
    parser = argparse.ArgumentParser(description="Check evidence of an audit record repository.")
    commands = parser.add_subparsers(required=True, metavar="proof|bundle|consistency|journal")
    proof = commands.add_parser("proof", help="a record's place in the log")
    proof.add_argument("file", type=Path)
    proof.add_argument("--message", type=Path, help="the message's octets as received")
    proof.add_argument("--witness", action="append", default=[], help="must have cosigned")
    proof.set_defaults(check=check_proof)
    bundle = commands.add_parser("bundle", help="an evidence bundle")
    bundle.add_argument("file", type=Path)
    bundle.add_argument("--witness", action="append", default=[], help="must have cosigned")
    bundle.set_defaults(check=check_bundle)
    consistency = commands.add_parser("consistency", help="that a log only grew")
    consistency.add_argument("file", type=Path)
    consistency.add_argument("--old", type=Path, required=True, help="the earlier signed head")
    consistency.set_defaults(check=check_consistency, witness=[])
    journal = commands.add_parser("journal", help="a whole journal")
    journal.add_argument("folder", type=Path)
    journal.add_argument("--checkpoint", type=Path, action="append", default=[])
    journal.add_argument("--master-key", type=Path, help="keys of encrypted segments")
    journal.set_defaults(check=check_journal, witness=[])
    for command in (proof, bundle, consistency, journal):
        needed = command in (proof, consistency)
        command.add_argument("--key", action="append", default=[], required=needed, help="VKEY")
    args = parser.parse_args(given)
    try:
        args.key = [read_key(text) for text in args.key]
        args.witness = [read_key(text, WITNESS_KEY) for text in args.witness]
    except Altered as error:
        parser.error(f"--key or --witness: {error}")
    return args


def main(given: list[str] | None = None) -> int:
    """Check, say what was found, and return the exit code."""
    args = arguments(given)
    try:
        sys.stdout.write(f"INTACT: {args.check(args)}\n")
    except Altered as error:
        sys.stdout.write(f"ALTERED: {error}\n")
        return 4
    except (Unchecked, OSError) as error:
        sys.stdout.write(f"NOT CHECKED: {error}\n")
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
