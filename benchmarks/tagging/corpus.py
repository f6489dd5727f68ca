"""What the tagger learns from: the annotated sets whose misses were read, told again with other names, and filled slots.

Belongs here: choosing and labelling sentences. Does not belong here: ``independent3``, which no one may learn from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.tagging.draws import Draws
from benchmarks.tagging.slots import filled, lines
from benchmarks.tagging.variation import recased, varied
from deidentification.text.features import of_place, of_word, pieces, shape
from deidentification.text.language import LANGUAGES
from deidentification.text.measuring import Annotated, read_annotated
from deidentification.text.spans import Kind
from deidentification.text.tagger import Tag

ANNOTATED = Path(__file__).parents[2] / "tests/deidentification/text/annotated"
PARTS = ("development", "held_out", "fresh", "short", "independent", "independent2")
RETOLD, SLOTTED = 10, 48  # times each sentence is told, and each line filled
TAGS = {
    Kind.PERSON: Tag.PERSON, Kind.LOCATION: Tag.PLACE, Kind.ORGANISATION: Tag.PLACE, Kind.ADDRESS: Tag.PLACE, Kind.DATE: Tag.DATE,
    **dict.fromkeys((Kind.MRN, Kind.PHONE, Kind.NATIONAL_ID, Kind.IBAN, Kind.EMAIL, Kind.URL), Tag.NUMBER),
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A sentence as the network learns it: rows and sorts of its features, how many each piece has, and its tags."""

    rows: np.ndarray
    sorts: np.ndarray
    sizes: np.ndarray
    tags: np.ndarray


def corpus(parts: Sequence[str], seed: int = 0) -> list[Example]:
    """Examples of all languages from these sets and from the slots."""
    return [example(sentence, code) for code in LANGUAGES for sentence in _sentences(parts, code, seed)]


def _sentences(parts: Sequence[str], code: str, seed: int) -> Iterator[Annotated]:
    read = [s for part in parts for s in read_annotated(ANNOTATED / part / f"{code}.txt")]
    draws = Draws(code, Random(f"{seed} {code}"), sorted(set(_prose(read))))
    for sentence in read:
        yield sentence
        yield from (varied(sentence, draws) for _ in range(RETOLD))
    for line in lines(code):
        yield from (recased(filled(line, draws), draws) for _ in range(SLOTTED))


def _prose(read: Sequence[Annotated]) -> Iterator[str]:
    """Ordinary words of the sentences."""
    for sentence in read:
        for piece in pieces(sentence.text):
            apart = all(piece.end <= span.start or span.end <= piece.start for span in sentence.spans)
            if apart and len(piece.text) > 3 and piece.text.isalpha() and not piece.text.isupper():
                yield piece.text


def example(sentence: Annotated, code: str) -> Example:
    """A sentence with the buckets of its pieces; a piece of an old age is of no tag."""
    found = list(pieces(sentence.text))
    seen = [(*of_word(p.text, code), *of_place(p.spaced, p.first, shape(p.text))) for p in found]
    flat = [feature for features in seen for feature in features]
    tags = [_tag(sentence, p.start, p.end) for p in found]
    return Example(
        np.array([row for _, row in flat], dtype=np.int32), np.array([sort for sort, _ in flat], dtype=np.int8),
        np.array([len(features) for features in seen]), np.array(tags),
    )  # fmt: skip


def _tag(sentence: Annotated, start: int, end: int) -> int:
    kinds = (span.kind for span in sentence.spans if span.start < end and start < span.end)
    return TAGS.get(next(kinds, Kind.AGE), Tag.OTHER)
