"""The tagger's word beside the rules': identifiers that the rules left, and rules' names that are surely none.

Belongs here: thresholds and what follows from them. Does not belong here: rules (``names``, ``written``) or the network (``tagger``).

The thresholds were chosen on sets that the tagger had not been trained on, beside rules of before anybody had read them
(``benchmarks/tagging/leaving_out.py``), recall before precision.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from deidentification.text.features import Piece, pieces
from deidentification.text.spans import Kind, Span
from deidentification.text.tagger import Tag
from deidentification.text.words import PARTICLES, Words

FOUND, LOWER, ALONG, NONE = 0.4, 0.8, 0.3, 0.05  # the surest piece; if all are in lower case; beside it; a rule's name
_SCRUBBED = 0.5  # of a rule's name in a text with tags, so that what was no name before the tags is none after them
KINDS = {Tag.PERSON: Kind.PERSON, Tag.PLACE: Kind.LOCATION, Tag.NUMBER: Kind.MRN, Tag.DATE: Kind.DATE}
_NO_NAMES = ("titles", "roles", "relatives", "days", "record", "phone", "stop")
_NAME, _NUMBER = "Virtanen", "1234"  # in place of tags
_NAMED = frozenset({Kind.PERSON, Kind.LOCATION, Kind.ORGANISATION, Kind.ADDRESS})
_DIGITS = 4  # of a number, at least
_LETTERS = 3  # of a name, at least


class Weighing:
    """A text's pieces and how likely each is part of an identifier.

    Parameters
    ----------
    seen : sequence of Piece
    likely : array
        Of each piece, the probability of every ``Tag``.
    words : Words
        Of the text's language.
    """

    def __init__(self, seen: Sequence[Piece], likely: NDArray[np.float32], words: Words) -> None:
        self.pieces, self.words = seen, words
        self._starts, self._ends = [p.start for p in seen], [p.end for p in seen]
        self.identifying = 1 - likely[:, Tag.OTHER]
        self.tags = [Tag(row[1:].argmax() + 1) for row in likely]

    def kept(self, spans: Iterable[Span], *, scrubbed: bool = False) -> Iterator[Span]:
        """The spans but those none of whose pieces is at all likely."""
        least = _SCRUBBED if scrubbed else NONE
        for span in spans:
            inside = self.identifying[bisect_right(self._ends, span.start) : bisect_left(self._starts, span.end)]
            if not len(inside) or inside.max() >= least:
                yield span

    def added(self, spans: Sequence[Span]) -> Iterator[Span]:
        """What ``spans`` leave of runs of likely pieces of one tag, one of them very likely."""
        covered = {at for span in spans for at in range(span.start, span.end)}
        for run in self._runs():
            if self._believed(run):
                for free, part in groupby(run, lambda at: self.pieces[at].start not in covered):
                    if free:
                        yield from self._span(list(part))

    def _runs(self) -> Iterator[list[int]]:
        """Neighbouring likely pieces of one tag."""
        marks = [self.tags[at] if self._likely(at) else None for at in range(len(self.pieces))]
        for mark, run in groupby(range(len(marks)), marks.__getitem__):
            if mark is not None:
                yield list(run)

    def _likely(self, at: int) -> bool:
        text = self.pieces[at].text
        nameless = self.tags[at] is Tag.PERSON and text.isdecimal()
        return self.identifying[at] >= ALONG and not nameless and not self._none(text)

    def _none(self, word: str) -> bool:
        """Whether it is a country, which tells nobody apart, or a word that stands before names, which is none itself."""
        return (
            word.isalpha()
            and word not in PARTICLES
            and (self.words.country(word) or any(self.words.listed(word, what) for what in _NO_NAMES))
        )

    def _believed(self, run: Sequence[int]) -> bool:
        """Whether the surest piece is sure enough; a name all in lower case must be surer, and a number have four digits."""
        texts, tag = [self.pieces[at].text for at in run], self.tags[run[0]]
        words = [text for text in texts if text.isalpha() and len(text) >= _LETTERS]
        numbers = [text for text in texts if text.isdecimal()]
        if tag is Tag.NUMBER and sum(map(len, numbers)) < _DIGITS:
            return False
        if tag is Tag.DATE and len(numbers) + len(words) < 2:
            return False
        if tag in (Tag.PERSON, Tag.PLACE) and not words:
            return False
        small = tag in (Tag.PERSON, Tag.PLACE) and all(word.islower() for word in words)
        return max(self.identifying[at] for at in run) >= (LOWER if small else FOUND)

    def _span(self, part: Sequence[int]) -> Iterator[Span]:
        """The span of these pieces: of a name any letter, of a date a digit, of a number no mere word."""
        tag = self.tags[part[0]]
        if any(self._holds(self.pieces[at].text, tag) for at in part):
            yield Span(self.pieces[part[0]].start, self.pieces[part[-1]].end, KINDS[tag])

    def _holds(self, text: str, tag: Tag) -> bool:
        """Whether a piece alone is worth a span."""
        if tag is Tag.DATE or not text.isalpha():
            return text.isdecimal()
        return tag is Tag.PERSON or (text not in PARTICLES if tag is Tag.PLACE else not text.islower())


def stood_in(text: str, tags: Sequence[tuple[int, int]]) -> list[Piece]:
    """Pieces of a text, with one word or number for each tag of an earlier run, so that what is around it reads as before."""
    starts = [start for start, _ in tags]
    out: list[Piece] = []
    for piece in pieces(text):
        at = bisect_right(starts, piece.start) - 1
        if at < 0 or piece.start >= tags[at][1]:
            out.append(piece)
        elif piece.start == tags[at][0]:
            start, end = tags[at]
            word = _NAME if text[start + 1 : end - 1] in _NAMED else _NUMBER
            out.append(Piece(word, start, end, piece.spaced, piece.first))
    return out
