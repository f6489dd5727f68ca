"""What the tagger sees of a text: its pieces, and of each piece the buckets of its features.

Belongs here: features. Does not belong here: weights (``tagger``), or rules (``names``, ``written``), of which the tagger sees
what they said.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from zlib import crc32

from deidentification.text.language import language
from deidentification.text.spans import Span
from deidentification.text.words import Words

BUCKETS = 1 << 13
_PIECE = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_ENDS = re.compile(r"[.!?:;•\n\t]")
_LISTS = (
    "titles", "roles", "relatives", "days", "stop", "common", "record", "national", "departments", "acts", "phone", "of_terms", "ordinary",
    "naming", "subjects", "hospital_first", "hospital_last", "street", "street_first", "place_before", "shortened", "feasts", "date_before",
    "signing", "age", "at_work", "floor",
)  # fmt: skip


class Sort(IntEnum):
    """Sorts of features: training hides some of a sort, so that no sort is relied on alone."""

    WORD = 0
    LETTERS = 1
    LISTS = 2
    SHAPE = 3
    RULES = 4


@dataclass(frozen=True)
class Piece:
    """A run of letters, a run of digits or one sign, and whether a space stands before it and a sentence begins with it."""

    text: str
    start: int
    end: int
    spaced: bool
    first: bool


def pieces(text: str) -> Iterator[Piece]:
    """Pieces of a text in order; only spaces are between them."""
    last = 0
    for match in _PIECE.finditer(text):
        gap, before = text[last : match.start()], text[max(0, last - 1) : match.start()]
        yield Piece(
            match[0], match.start(), match.end(), bool(gap), last == 0 or (bool(gap) and bool(_ENDS.search(before)))
        )
        last = match.end()


@lru_cache(maxsize=200_000)
def of_word(text: str, code: str) -> tuple[tuple[Sort, int], ...]:
    """Buckets of a piece by itself."""
    if text.isdecimal():
        seen = _of_digits(text)
    elif text[0].isalpha():
        seen = (*_of_letters(text), *_of_lists(text, code), (Sort.WORD, f"{code} {text.lower()}"))
    else:
        seen = iter([(Sort.SHAPE, text)])
    return tuple((sort, bucket(f"{sort.value} {value}")) for sort, value in (*seen, (Sort.SHAPE, f"in {code}")))


@lru_cache(maxsize=1_000)
def of_place(spaced: bool, first: bool, shape: str) -> tuple[tuple[Sort, int], ...]:
    """Buckets of where a piece stands."""
    seen = (f"spaced {spaced}", f"first {first}", f"{spaced} {first} {shape}")
    return tuple((Sort.SHAPE, bucket(value)) for value in seen)


def verdicts(seen: Sequence[Piece], spans: Iterable[Span]) -> list[str]:
    """What the rules said of each piece: the kinds of the spans that it lies in, and whether one begins there; mostly nothing."""
    starts, ends = [p.start for p in seen], [p.end for p in seen]
    said: list[set[str]] = [set() for _ in seen]
    for span in spans:
        first, last = bisect_right(ends, span.start), bisect_left(starts, span.end)
        for at in range(first, last):
            said[at].add(f"{span.kind}{' begins' * (at == first)}")
    return ["+".join(sorted(of)) for of in said]


@lru_cache(maxsize=10_000)
def of_verdict(verdict: str) -> tuple[tuple[Sort, int], ...]:
    """Buckets of what the rules said of a piece."""
    kinds = {kind.removesuffix(" begins") for kind in verdict.split("+")}
    seen = (f"said {verdict}", *(f"said {kind}" for kind in sorted(kinds)), f"silent {not verdict}")
    return tuple((Sort.RULES, bucket(f"{Sort.RULES.value} {value}")) for value in seen)


def bucket(feature: str) -> int:
    """The row of a feature in the table of weights."""
    return crc32(feature.encode()) % BUCKETS


def shape(text: str) -> str:
    """Digits, small letters, one capital, a capital first, capitals, mixed, or the sign itself."""
    if text.isdecimal():
        return "9"
    if not text[0].isalpha():
        return text
    if text.islower():
        return "x"
    if len(text) == 1:
        return "I"
    return "X" if text.isupper() else "Xx" if text[1:].islower() else "xX"


def _of_digits(text: str) -> Iterator[tuple[Sort, str]]:
    value = int(text[:6])
    size = next((most for most in (12, 31, 100, 1000) if value <= most), 1900 <= value < 2100)
    yield from (
        (Sort.SHAPE, f"digits {len(text)}"),
        (Sort.SHAPE, f"size {size}"),
        (Sort.SHAPE, f"zero {text[0] == '0'}"),
    )
    yield Sort.WORD, text


def _of_letters(text: str) -> Iterator[tuple[Sort, str]]:
    low = f"^{text.lower()}$"
    yield from ((Sort.LETTERS, low[at : at + 3]) for at in range(min(len(low) - 2, 12)))
    yield from ((Sort.LETTERS, f"ends {low[-size:]}") for size in (4, 5) if len(low) > size)
    yield Sort.LETTERS, f"begins {low[:5]}"
    yield Sort.SHAPE, shape(text)
    yield Sort.SHAPE, f"{shape(text)} {min(len(text), 8)}"


def _of_lists(text: str, code: str) -> Iterator[tuple[Sort, str]]:
    words = Words(language(code))
    facts = {
        "given": words.given(text), "family": words.family(text), "at home": words.at_home(text, "given"), "family at home": words.at_home(text, "family"),
        "place": words.place(text), "country": words.country(text), "known": words.known(text), "medical": words.medical(text),
        "drug": words.drug(text), "eponym": words.eponym(text), "month": text.lower() in words.language.months,
    }  # fmt: skip
    yield from ((Sort.LISTS, f"{fact} {holds}") for fact, holds in facts.items())
    yield Sort.LISTS, " ".join(fact for fact, holds in facts.items() if holds) + f" {shape(text)}"
    yield from ((Sort.LISTS, f"in {what}") for what in _LISTS if words.listed(text, what))
    sorts = list(words.sorts(text))
    yield from ((Sort.LISTS, f"of {sort}") for sort in sorts)
    yield (
        Sort.LISTS,
        f"{bool(sorts)} {facts['given']} {facts['family']} {facts['known']} {facts['eponym'] or facts['drug']}",
    )
