"""A second look at what came out, which knows nothing of the engine.

Belongs here: expectations in their own words, checked on the bytes of a file beside those of its original. Does not
belong here: mending. It reads files by ``walk``, not by the library that wrote them; of the package it uses the facts
of the standard (table, defined terms) and the options' names only. Findings tell a check, a tag and a count, never a value.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import polars as pl
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from deidentification.dicom.defined_terms import DEFINED_TERMS
from deidentification.dicom.options import Option
from deidentification.dicom.profile import TABLE
from deidentification.dicom.walk import Element, elements

SCHEMA = {"check": pl.String, "tag": pl.String, "count": pl.Int64}
_IMPLEMENTATION = 0x00020012  # of the program that wrote the file
_PIXELS = range(0x7FE00000, 0x7FE0FFFF)
_OURS = frozenset({0x00120062, 0x00120063, 0x00120064})
_EMPTIED = frozenset({"Z", "X/Z"})
_PSEUDONYM = re.compile(rb"[0-9a-f]{32}")
_HARMLESS = frozenset({b"", b"0", b"000Y", b"19000101", b"000000", b"19000101000000", b"REMOVED", b"urn:removed"})
_WORDS = frozenset(["LO", "SH", "ST", "LT", "UT", "UC", "PN", "AE", "UR"])
_BYTES = frozenset(["OB", "OW", "UN"])
_NAMES_AND_NUMBERS = frozenset({
    0x00080050, 0x00100020, 0x00100030, 0x00101000, 0x00101040, 0x00102154, 0x00101090, 0x00380010, 0x00402016,
    0x00402017,
})  # fmt: skip
_CLASS_OR_SYNTAX = re.compile(rb"1\.2\.840\.10008\.[0-9.]+")
_TERMS = frozenset(term.encode() for term in DEFINED_TERMS)
_SEPARATORS = re.compile(rb"[\s^=,;/\\]+")


def verify(
    output: bytes, original: bytes | None = None, *, options: Iterable[Option] = (), planted: Sequence[str] = ()
) -> pl.DataFrame:
    """Check one de-identified file.

    Parameters
    ----------
    output : bytes
        The file that came out.
    original : bytes or None
        The file it came from; without it nothing can be said of UIDs, dates and identifiers that are left.
    options : iterable of Option
        Those it was made with: what they retain is not looked for.
    planted : sequence of str
        Strings that must be nowhere, pixels and file meta included.

    Returns
    -------
    polars.DataFrame
        Columns ``check``, ``tag``, ``count``; no row if nothing was found.

    Raises
    ------
    DicomError
        A file cannot be walked.
    """
    chosen = frozenset(options)
    left, found = list(elements(output)), Counter[tuple[str, str]]()
    found.update(_by_table(left, chosen))
    found.update(_by_group(left))
    found.update(_file_meta(output, left))
    found.update(("planted string left", "any") for text in planted if _contains(output, left, text))
    if original is not None:
        found.update(_beside(left, list(elements(original)), chosen))
    rows = [(check, tag, count) for (check, tag), count in sorted(found.items())]
    return pl.DataFrame(rows, SCHEMA, orient="row")


def summary(findings: pl.DataFrame) -> dict[str, int]:
    """Findings by check."""
    counted = findings.group_by("check").agg(pl.col("count").sum()).sort("check")
    return dict(counted.iter_rows())


def _by_table(left: list[Element], options: frozenset[Option]) -> Iterator[tuple[str, str]]:
    """Attributes that must be gone, and those that must hold nothing."""
    expected = _expected(frozenset(str(option.column) for option in options))
    for element in left:
        action = expected.get(element.tag)
        value = element.value.strip(b" \0")
        if action == "X":
            yield "attribute left", _name(element.tag)
        elif action in _EMPTIED and value and not _PSEUDONYM.fullmatch(value):
            yield "value left", _name(element.tag)
        if element.path and expected.get(element.path[-1]) in _EMPTIED:
            yield "item left", _name(element.path[-1])


def _by_group(left: list[Element]) -> Iterator[tuple[str, str]]:
    for element in left:
        group = element.tag >> 16
        if group % 2:
            yield "private element left", "private"
        elif group & 0xFF00 in (0x5000, 0x6000) or group in (0, 4):
            yield "group left", f"{group:04X},xxxx"
        elif not dictionary_has_tag(element.tag) or element.vr == "UN":
            yield "unknown element left", _name(element.tag)


def _file_meta(output: bytes, left: list[Element]) -> Iterator[tuple[str, str]]:
    top = {element.tag: element.value.strip(b" \0") for element in left if not element.path}
    if any(output[:128]):
        yield "preamble not empty", "preamble"
    for tag in top:
        if tag >> 16 == 2 and tag & 0xFFFF not in (0, 1, 2, 3, 0x10, 0x12, 0x13):
            yield "file meta left", _name(tag)
    if top.get(0x00020003) != top.get(0x00080018):
        yield "file meta differs", _name(0x00020003)
    codes = [e.value.strip(b" \0") for e in left if e.path == (0x00120064,) and e.tag == 0x00080100]
    if top.get(0x00120062) != b"YES" or b"113100" not in codes:
        yield "not declared", _name(0x00120062)


def _beside(left: list[Element], before: list[Element], options: frozenset[Option]) -> Iterator[tuple[str, str]]:
    yield from _dummies(left, before, frozenset(str(option.column) for option in options))
    if Option.RETAIN_UIDS not in options:
        yield from _uids(left, before)
    yield from _dates(left, before)
    yield from _identifiers(left, before)


def _dummies(left: list[Element], before: list[Element], columns: frozenset[str]) -> Iterator[tuple[str, str]]:
    expected = _expected(columns)
    values = {(e.tag, e.value.strip(b" \0")) for e in before}
    for element in left:
        value = element.value.strip(b" \0")
        replaced = expected.get(element.tag, "").endswith("D")
        if replaced and value.rstrip(b"\0") not in _HARMLESS and (element.tag, value) in values:
            yield "value not replaced", _name(element.tag)


def _uids(left: list[Element], before: list[Element]) -> Iterator[tuple[str, str]]:
    known = {
        uid
        for element in before
        if _vr(element) == "UI" and element.tag != _IMPLEMENTATION
        for uid in element.value.strip(b" \0").split(b"\\")
        if uid and not _CLASS_OR_SYNTAX.fullmatch(uid)
    }
    for element in left:
        if element.tag not in _PIXELS and element.tag != _IMPLEMENTATION:
            parts = element.value.strip(b" \0").replace(b"\0", b"\\").replace(b" ", b"\\").split(b"\\")
            if not known.isdisjoint(parts):
                yield "UID left", _name(element.tag)


def _dates(left: list[Element], before: list[Element]) -> Iterator[tuple[str, str]]:
    dates = {(e.tag, e.value.strip(b" \0")[:8]) for e in before if _vr(e) in ("DA", "DT")}
    for element in left:
        value = element.value.strip(b" \0")[:8]
        if _vr(element) in ("DA", "DT") and value not in _HARMLESS and (element.tag, value) in dates:
            yield "date left", _name(element.tag)


def _identifiers(left: list[Element], before: list[Element]) -> Iterator[tuple[str, str]]:
    whole, any_part = _searched(before)
    for element in left:
        vr = _vr(element)
        if element.tag in _PIXELS or element.tag in _OURS or set(element.path) & _OURS or not element.value:
            continue
        if vr == "CS":
            searched = [(v, whole if v.strip(b" \0") in _TERMS else any_part) for v in element.value.split(b"\\")]
        else:
            searched = [(element.value, any_part if vr in _WORDS or vr in _BYTES else whole if vr == "AS" else None)]
        if any(pattern and pattern.search(value) for value, pattern in searched):
            yield "identifier left", _name(element.tag)


def _searched(before: list[Element]) -> tuple[re.Pattern[bytes] | None, re.Pattern[bytes] | None]:
    """Patterns of the original's identifiers: as they stand, and with the single words of names."""
    whole, words = set[bytes](), set[bytes]()
    for element in before:
        name = _vr(element) == "PN" and not element.tag >> 16 & 1
        if name or element.tag in _NAMES_AND_NUMBERS:
            values = {v.strip(b" \0^=") for v in element.value.split(b"\\")} - _HARMLESS
            whole.update(values)
            words.update(word for v in values if name for word in _SEPARATORS.split(v))
    return _pattern(whole), _pattern(whole | words)


def _pattern(strings: set[bytes]) -> re.Pattern[bytes] | None:
    forms = []
    for words in ([word for word in _SEPARATORS.split(s) if word] for s in strings if len(s) >= 4):
        form = rb"[\s^=,;/\\]+".join(map(re.escape, words))
        if len(form) >= 4:
            # letters go on a word and digits a number, but neither the other
            before, after = (rb"[0-9]" if end.isdigit() else rb"[A-Za-z]" for end in (words[0][:1], words[-1][-1:]))
            forms.append(b"(?<!" + before + b")" + form + b"(?!" + after + b")")
    return re.compile(b"|".join(forms), re.I) if forms else None


def _contains(output: bytes, left: list[Element], text: str) -> bool:
    """In the bytes as they stand, or in a value once inflated."""
    forms = {text.encode(code, "replace") for code in ("utf-8", "latin-1", "utf-16-le")}
    return any(form in output or any(form in element.value for element in left) for form in forms)


@cache
def _expected(columns: frozenset[str]) -> dict[int, str]:
    """Basic action by tag, without what an option retains or cleans."""
    with TABLE.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if re.fullmatch("[0-9A-F]{4},[0-9A-F]{4}", row["tag"])]
    kept = [row for row in rows if not any(row.get(column) in ("K", "C") for column in columns)]
    return {int(row["tag"].replace(",", ""), 16): row["basic"] for row in kept}


def _vr(element: Element) -> str:
    if element.vr and element.vr != "UN":
        return element.vr
    return dictionary_VR(element.tag).split(" or ")[0] if dictionary_has_tag(element.tag) else "UN"


def _name(tag: int) -> str:
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
