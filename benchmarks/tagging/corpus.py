"""What the tagger learns from: notes, the annotated sets whose misses were read, both told again with other names, and filled slots.

Belongs here: choosing and labelling sentences. Does not belong here: ``independent3`` and ``independent4``, which no one may
learn from.

What the rules say is shown of the notes alone, since the rules' author has not read them: on the other sentences the rules
were written, and are right there nearly always.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.tagging.draws import Draws
from benchmarks.tagging.slots import filled, lines
from benchmarks.tagging.variation import recased, varied
from deidentification.text.features import of_place, of_verdict, of_word, pieces, shape, verdicts
from deidentification.text.language import LANGUAGES, language
from deidentification.text.measuring import Annotated, read_annotated
from deidentification.text.names import names
from deidentification.text.spans import Kind, Span
from deidentification.text.tagger import Tag
from deidentification.text.written import written

ANNOTATED = Path(__file__).parents[2] / "tests/deidentification/text/annotated"
NOTES = Path(__file__).parent / "notes"
PARTS = ("development", "held_out", "fresh", "short", "independent", "independent2")
FOLDS = 5
RETOLD, SLOTTED, NOTED = 10, 24, 4  # times each sentence is told again, each line filled, each note told again
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


def corpus(left_out: int | None = None, seed: int = 0) -> list[Example]:
    """Examples of all languages; without one fold of the notes, if that is named."""
    return [example for code in LANGUAGES for example in _examples(code, left_out, seed)]


def fold(code: str, number: int) -> list[Annotated]:
    """Notes that one fold leaves out: a stretch of them, as neighbours are alike."""
    notes = read_annotated(NOTES / f"{code}.txt")
    return notes[len(notes) * number // FOLDS : len(notes) * (number + 1) // FOLDS]


def _examples(code: str, left_out: int | None, seed: int) -> Iterator[Example]:
    notes = [note for number in range(FOLDS) if number != left_out for note in fold(code, number)]
    read = [s for part in PARTS for s in read_annotated(ANNOTATED / part / f"{code}.txt")]
    draws = Draws(code, Random(f"{seed} {code}"), sorted(set(_prose([*notes, *read]))))
    for sentence in _told(notes, NOTED, draws):
        yield example(sentence, code, ruled=True)
    for sentence in _told(read, RETOLD, draws):
        yield example(sentence, code)
    for line in lines(code):
        yield from (example(recased(filled(line, draws), draws), code) for _ in range(SLOTTED))


def _told(sentences: Sequence[Annotated], times: int, draws: Draws) -> Iterator[Annotated]:
    """Each sentence as it is, and again with other names."""
    for sentence in sentences:
        yield sentence
        yield from (varied(sentence, draws) for _ in range(times))


def _prose(read: Sequence[Annotated]) -> Iterator[str]:
    """Ordinary words of the sentences."""
    for sentence in read:
        for piece in pieces(sentence.text):
            apart = all(piece.end <= span.start or span.end <= piece.start for span in sentence.spans)
            if apart and len(piece.text) > 3 and piece.text.isalpha() and not piece.text.isupper():
                yield piece.text


def example(sentence: Annotated, code: str, *, ruled: bool = False) -> Example:
    """A sentence with the buckets of its pieces, ``ruled`` with what the rules say; a piece of an old age is of no tag."""
    found = list(pieces(sentence.text))
    seen = [(*of_word(p.text, code), *of_place(p.spaced, p.first, shape(p.text))) for p in found]
    if ruled:
        said = verdicts(found, rules(sentence.text, code))
        seen = [(*of, *of_verdict(verdict)) for of, verdict in zip(seen, said, strict=True)]
    flat = [feature for features in seen for feature in features]
    tags = [_tag(sentence, p.start, p.end) for p in found]
    return Example(
        np.array([row for _, row in flat], dtype=np.int32), np.array([sort for sort, _ in flat], dtype=np.int8),
        np.array([len(features) for features in seen]), np.array(tags),
    )  # fmt: skip


def rules(text: str, code: str) -> list[Span]:
    """What the rules find, by written form and names."""
    spoken = language(code)
    return [*written(text, spoken), *names(text, spoken)]


def _tag(sentence: Annotated, start: int, end: int) -> int:
    kinds = (span.kind for span in sentence.spans if span.start < end and start < span.end)
    return TAGS.get(next(kinds, Kind.AGE), Tag.OTHER)
