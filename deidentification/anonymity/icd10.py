"""ICD-10 codes by block and chapter.

Belongs here: where a code stands in the classification. Does not belong here: titles of codes, or checking that a code
exists. Blocks are the finest ranges of the WHO's edition of 2019.

References
----------
WHO (2019). International Statistical Classification of Diseases and Related Health Problems, 10th Revision.
"""

from bisect import bisect_right
from importlib.resources import files

import polars as pl

CODE = r"^[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?$"
"""ICD-10 and its national extensions, with or without the point."""

_TEXT = files("deidentification.anonymity").joinpath("icd10_ranges.txt").read_text(encoding="utf-8")
CHAPTERS, BLOCKS = (part.split() for part in _TEXT.split("\n", 1)[1].split("\n\n"))
_CHAPTER_STARTS = [chapter[:3] for chapter in CHAPTERS]
_BLOCK_STARTS = [block[:3] for block in BLOCKS]


def plain(codes: pl.Expr) -> pl.Expr:
    """Codes as the WHO writes them, with the point, without dagger, asterisk (``A17.0+``, ``G01*``) or the German ``!``; others unchanged."""
    bare = codes.str.strip_chars().str.to_uppercase().str.replace(r"[+*†!]$", "")
    pointed = bare.str.replace(r"^([A-Z]\d[0-9A-Z])\.?([0-9A-Z]{1,4})$", "$1.$2")
    return pl.when(pointed.str.contains(CODE)).then(pointed).otherwise(codes)


def category(code: str) -> str:
    """The category of three characters."""
    return code[:3].upper()


def block(code: str) -> str:
    """The block, for instance ``I60-I69``; the category itself if it is in none."""
    return _within(category(code), BLOCKS, _BLOCK_STARTS)


def chapter(code: str) -> str:
    """The chapter as a range, for instance ``I00-I99``; the category itself if it is in none."""
    return _within(category(code), CHAPTERS, _CHAPTER_STARTS)


def _within(three: str, ranges: list[str], starts: list[str]) -> str:
    place = bisect_right(starts, three) - 1
    return ranges[place] if place >= 0 and three <= ranges[place][4:] else three
