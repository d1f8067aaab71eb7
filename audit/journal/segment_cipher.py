"""AES-256-GCM for one segment file: its data key, wrapped by a master key, and its frames; pure.

docs/journal-format.md, section 2.2. The data key is wrapped with the segment's head as associated
data, each frame is encrypted with its place: so neither key, head nor frame fits anywhere else.
"""

import os
from dataclasses import dataclass
from struct import Struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from zlib_ng.zlib_ng import crc32

from audit.errors import IntegrityViolation
from audit.journal.entry import HEADER_OCTETS, MAX_BODY_OCTETS, MAX_METADATA_OCTETS
from audit.journal.master_keys import KEY_OCTETS, MasterKey, MasterKeys

MAGIC = b"ARRK"
VERSION = 1
FRAME_PURPOSE = b"ARRe"
BLOCK_PURPOSE = b"ARRb"
NONCE_OCTETS = 12
TAG_OCTETS = 16
FRAME_HEAD = Struct(">I")
FRAME_OVERHEAD = FRAME_HEAD.size + NONCE_OCTETS + TAG_OCTETS
FRAME_OCTETS = 1 << 20
"""Whole entries are gathered into frames of at most so many octets; a larger entry is alone."""
MAX_FRAME_OCTETS = HEADER_OCTETS + MAX_METADATA_OCTETS + MAX_BODY_OCTETS

_BLOCK = Struct(f">4sB3x8s{NONCE_OCTETS}s{KEY_OCTETS + TAG_OCTETS}s")
_CHECKSUM_OCTETS = 4
KEY_BLOCK_OCTETS = _BLOCK.size + _CHECKSUM_OCTETS
_PLACE = Struct(">4sQI")


@dataclass(frozen=True, slots=True)
class SegmentCipher:
    """Encrypts and opens the frames and blocks of one file.

    Attributes:
        key_block: follows the head in the file.
    """

    key_block: bytes
    _aead: AESGCM

    @classmethod
    def create(cls, master: MasterKey, head: bytes) -> "SegmentCipher":
        """A new data key for the segment whose head has these octets."""
        data_key = AESGCM.generate_key(KEY_OCTETS * 8)
        nonce = os.urandom(NONCE_OCTETS)
        wrapped = AESGCM(master.octets).encrypt(nonce, data_key, head)
        body = _BLOCK.pack(MAGIC, VERSION, master.key_id, nonce, wrapped)
        return cls(body + crc32(body).to_bytes(_CHECKSUM_OCTETS), AESGCM(data_key))

    @classmethod
    def open(cls, keys: MasterKeys, head: bytes, key_block: bytes) -> "SegmentCipher":
        """The data key that the block after the head holds.

        Raises:
            KeyMissing: the master key is not in the ring.
            IntegrityViolation: the block is damaged, or was made for another head.
        """
        if len(key_block) != KEY_BLOCK_OCTETS:
            raise IntegrityViolation("an encrypted segment's key is cut short")
        magic, version, key_id, nonce, wrapped = _BLOCK.unpack_from(key_block)
        body, checksum = key_block[:-_CHECKSUM_OCTETS], key_block[-_CHECKSUM_OCTETS:]
        exact = _BLOCK.pack(magic, version, key_id, nonce, wrapped) == body
        if magic != MAGIC or version != VERSION or not exact:
            raise IntegrityViolation("no key of a known version follows the segment's head")
        if crc32(body) != int.from_bytes(checksum):
            raise IntegrityViolation("the checksum of an encrypted segment's key does not match")
        try:
            data_key = AESGCM(keys.find(key_id).octets).decrypt(nonce, wrapped, head)
        except InvalidTag as error:
            raise IntegrityViolation(
                "the segment's key was altered, or belongs to another segment"
            ) from error
        return cls(key_block, AESGCM(data_key))

    def frame(self, offset: int, octets: bytes) -> bytes:
        """The octets that stand at this offset of the image, as a frame of an open segment."""
        return FRAME_HEAD.pack(len(octets)) + self.encrypt(FRAME_PURPOSE, offset, octets)

    def encrypt(self, purpose: bytes, offset: int, octets: bytes) -> bytes:
        """Nonce, ciphertext and tag of what stands at this offset of the image."""
        nonce = os.urandom(NONCE_OCTETS)
        return nonce + self._aead.encrypt(nonce, octets, _PLACE.pack(purpose, offset, len(octets)))

    def decrypt(self, purpose: bytes, offset: int, stored: bytes) -> bytes:
        """What ``encrypt`` was given.

        Raises:
            IntegrityViolation: it was altered, or belongs to another place.
        """
        length = len(stored) - NONCE_OCTETS - TAG_OCTETS
        if length < 0:
            raise IntegrityViolation("encrypted octets are cut short")
        place = _PLACE.pack(purpose, offset, length)
        try:
            return self._aead.decrypt(stored[:NONCE_OCTETS], stored[NONCE_OCTETS:], place)
        except InvalidTag as error:
            raise IntegrityViolation(
                "encrypted octets were altered, or belong to another place"
            ) from error
