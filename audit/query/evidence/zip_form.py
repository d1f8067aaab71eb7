"""ZipForm: a ZIP archive in one form, written as it comes, nothing compressed.

Every octet of the archive follows from names, sizes and contents of its members, so that whoever
makes it again finds any octet that was changed, in the container too. Members are stored, dated
1980-01-01, without data descriptors; offsets beyond 32 bits and counts beyond 16 use ZIP64.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.
"""

import struct
from zlib import crc32

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_END = struct.Struct("<4s4H2IH")
_VERSION, _UTF8, _DATE = 45, 0x0800, 0x0021
_MOST_16, _MOST_32 = 0xFFFF, 0xFFFF_FFFF


class ZipForm:
    """One archive. Not for two threads at once.

    Attributes:
        size: octets given so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._count = 0
        self._directory = bytearray()

    def member(self, name: str, content: bytes) -> bytes:
        """The octets of the next member.

        Raises:
            ValueError: it has 4 GiB or more, or its name is longer than 65,535 octets.
        """
        path = name.encode()
        if len(content) >= _MOST_32 or len(path) > _MOST_16:
            raise ValueError("a member or its name is too long")
        facts = (_VERSION, _UTF8, 0, 0, _DATE, crc32(content), len(content), len(content))
        local = _LOCAL.pack(b"PK\3\4", *facts, len(path), 0) + path
        far = struct.pack("<HHQ", 1, 8, self.size) if self.size >= _MOST_32 else b""
        near = min(self.size, _MOST_32)
        tail = (len(path), len(far), 0, 0, 0, 0, near)
        self._directory += _CENTRAL.pack(b"PK\1\2", _VERSION, *facts, *tail) + path + far
        self._count += 1
        self.size += len(local) + len(content)
        return local + content

    def end(self) -> bytes:
        """The octets after the last member: directory and end records."""
        length, start, count = len(self._directory), self.size, self._count
        far = b""
        if count >= _MOST_16 or start >= _MOST_32:
            fixed = (44, _VERSION, _VERSION, 0, 0)
            far = _END64.pack(b"PK\6\6", *fixed, count, count, length, start)
            far += _LOCATOR64.pack(b"PK\6\7", 0, start + length, 1)
        few, near = min(count, _MOST_16), min(start, _MOST_32)
        end = _END.pack(b"PK\5\6", 0, 0, few, few, length, near, 0)
        self.size += length + len(far) + len(end)
        return bytes(self._directory) + far + end
