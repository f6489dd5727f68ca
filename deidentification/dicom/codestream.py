"""Comments inside compressed frames: JPEG and JPEG 2000 carry free text and Exif blocks of their own.

Belongs here: blanking them in place, so that no length and no offset changes. Does not belong here: pixels. Video
(MPEG, HEVC) is not looked into.

References
----------
ITU-T T.81 B.2.4 (COM, APPn); ITU-T T.800 A.9.2 (CME); DICOM PS3.5 A.4.
"""

import re
import struct
from collections.abc import Iterator

_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f"
_COMMENT, _SCAN, _FILL = 0xFE, 0xDA, 0xFF
_CODESTREAM_COMMENT, _TILE, _TILE_DATA = 0x64, 0x90, 0x93
_AFTER_SCAN = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""A marker after coded data, in which 0xFF is followed by less (stuffing) or by a restart marker."""
_NEEDED = (b"JFIF\0", b"Adobe", b"mrfx")
"""Application blocks that tell a decoder how to read colours."""


def without_comments(encapsulated: bytes) -> bytes:
    """Encapsulated pixel data with the comments and application blocks of its frames filled with blanks."""
    data = bytearray(encapsulated)
    for start, end in list(_fragments(encapsulated)):
        head = encapsulated[start : start + 2]
        if head in (_JPEG, _JPEG_2000):
            for at, stop in _texts(encapsulated, start + 2, end, head == _JPEG):
                data[at:stop] = b" " * (stop - at)
    return bytes(data)


def _fragments(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the values of items begin and end, the table of offsets included."""
    at = 0
    while at + 8 <= len(data) and data[at : at + 4] == b"\xfe\xff\x00\xe0":
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield at + 8, at + 8 + length
        at += 8 + length


def _texts(data: bytes, at: int, end: int, jpeg: bool) -> Iterator[tuple[int, int]]:
    """Payloads to blank: in the main header and beside the scans of JPEG, and in the tiles' headers of JPEG 2000."""
    tile_end = end
    while at + 4 <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _FILL:
            at += 1
            continue
        if not jpeg and marker == _TILE_DATA:
            at = max(tile_end, at + 2)
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        stop = min(at + 2 + length, end)
        if jpeg and (marker == _COMMENT or 0xE0 <= marker <= 0xEF) and not data.startswith(_NEEDED, at + 4):
            yield at + 4, stop
        elif not jpeg and marker == _CODESTREAM_COMMENT:
            yield at + 6, stop  # two bytes tell the kind of comment
        elif not jpeg and marker == _TILE and at + 10 <= end:
            (size,) = struct.unpack_from(">I", data, at + 6)
            tile_end = at + size if size else end
        at = stop
        if jpeg and marker == _SCAN:
            following = _AFTER_SCAN.search(data, at, end)
            at = following.start() if following else end
