"""The elements of a DICOM file, read from its bytes by their lengths.

Belongs here: the framing of PS3.5 and PS3.10, whole or refused. Does not belong here: the meaning of values. It shares
no code with the library that the engine reads and writes with, which forgives what must not be forgiven here: a file
that ends within an element, and sequences that hide in elements of unknown VR.

References
----------
DICOM PS3.5 7 (Data Set), A.4 (encapsulated pixel data); PS3.10 7 (DICOM File Format).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from deidentification.dicom.errors import DicomError

IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
HEAD = 132
PIXEL_DATA = 0x7FE00010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_DEEPEST = 64


@dataclass(frozen=True)
class Element:
    """One element; ``path`` holds the tags of the sequences around it, ``vr`` is empty in implicit VR."""

    tag: int
    vr: str
    value: bytes
    path: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Form:
    order: str
    explicit: bool


def elements(data: bytes) -> Iterator[Element]:
    """All elements of a file, file meta first, at every depth; a sequence comes before its items with no value.

    Raises
    ------
    DicomError
        It is no DICOM file, or it ends within an element.
    """
    if len(data) < HEAD or data[128:HEAD] != b"DICM":
        raise DicomError("the file must be a DICOM file (PS3.10), got no DICM prefix; leave other files out")
    little = _Form("<", True)
    syntax, position = "", HEAD
    while position + 4 <= len(data) and _tag(data, position, little) >> 16 == 2:
        tag, vr, length, at = _header(data, position, little)
        position = _end(data, at, length)
        yield Element(tag, vr, data[at:position])
        if tag == 0x00020010:
            syntax = data[at:position].decode("latin-1").strip(" \0")
    body = _inflated(data[position:]) if syntax == DEFLATED else data[position:]
    form = _Form(">" if syntax == BIG_ENDIAN else "<", syntax != IMPLICIT)
    yield from _walk(body, 0, len(body), form, ())


def _walk(data: bytes, position: int, stop: int, form: _Form, path: tuple[int, ...]) -> Iterator[Element]:
    """Elements until ``stop``; returns where it ended (before that at an item's delimiter)."""
    if len(path) > _DEEPEST:
        raise DicomError(f"sequences must nest at most {_DEEPEST} deep, got more; mend the file at the source")
    while position < stop:
        if _tag(data, position, form) == _ITEM_END:
            return position + 8
        tag, vr, length, at = _header(data, position, form)
        if length == _UNDEFINED and tag == PIXEL_DATA:
            end = _fragments(data, at, stop, form)
            yield Element(tag, vr, data[at:end], path)
        elif vr == "SQ" or length == _UNDEFINED or _hidden_items(data, vr, length, at, form):
            yield Element(tag, vr, b"", path)
            inside = _Form("<", False) if vr == "UN" else form
            end = yield from _items(data, at, length, stop, inside, (*path, tag))
        else:
            end = _end(data, at, length, stop)
            yield Element(tag, vr, data[at:end], path)
        position = end
    return position  # type: ignore[return-value]  # a generator's own result


def _items(data: bytes, at: int, length: int, stop: int, form: _Form, path: tuple[int, ...]) -> Iterator[Element]:
    end = stop if length == _UNDEFINED else _end(data, at, length, stop)
    while at < end:
        tag, size = _tag(data, at, form), _number(data, at + 4, form.order + "I")
        at += 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise _broken("an item of a sequence")
        inner = end if size == _UNDEFINED else _end(data, at, size, end)
        at = yield from _walk(data, at, inner, form, path)  # type: ignore[misc]
    if length == _UNDEFINED:
        raise _broken("the end of a sequence")
    return at  # type: ignore[return-value]


def _hidden_items(data: bytes, vr: str, length: int, at: int, form: _Form) -> bool:
    """Whether a value of implicit or unknown VR is a sequence of defined length."""
    if vr not in ("", "UN") or length < 8 or at + 8 > len(data):
        return False
    order = "<" if vr == "UN" else form.order
    if _tag(data, at, _Form(order, False)) != _ITEM:
        return False
    size = _number(data, at + 4, order + "I")
    return size == _UNDEFINED or size <= length - 8


def _header(data: bytes, position: int, form: _Form) -> tuple[int, str, int, int]:
    """Tag, VR, length and where the value begins."""
    tag = _tag(data, position, form)
    if not form.explicit or tag >> 16 == 0xFFFE:
        return tag, "", _number(data, position + 4, form.order + "I"), position + 8
    vr = data[position + 4 : position + 6]
    if vr in _LONG:
        return tag, vr.decode(), _number(data, position + 8, form.order + "I"), position + 12
    if not vr.isalpha():
        raise _broken("a value representation")
    return tag, vr.decode("latin-1"), _number(data, position + 6, form.order + "H"), position + 8


def _fragments(data: bytes, at: int, stop: int, form: _Form) -> int:
    """End of encapsulated pixel data."""
    while at < stop:
        tag, size = _tag(data, at, form), _number(data, at + 4, form.order + "I")
        at += 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise _broken("a fragment of pixel data")
        at = _end(data, at, size, stop)
    raise _broken("the end of pixel data")


def _tag(data: bytes, position: int, form: _Form) -> int:
    return _number(data, position, form.order + "H") << 16 | _number(data, position + 2, form.order + "H")


def _number(data: bytes, position: int, form: str) -> int:
    try:
        return struct.unpack_from(form, data, position)[0]
    except struct.error:
        raise _broken("an element") from None


def _end(data: bytes, at: int, length: int, stop: int | None = None) -> int:
    end = at + length
    if end > (len(data) if stop is None else stop):
        raise _broken("the value of an element")
    return end


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(data)
    except zlib.error:
        raise _broken("the deflated data set") from None
    if not stream.eof:
        raise _broken("the deflated data set")
    return inflated


def _broken(what: str) -> DicomError:
    return DicomError(f"the file must be whole, got one that breaks off or is damaged within {what}; copy it again")
