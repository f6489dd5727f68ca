"""The tagger's word beside the rules': identifiers that the rules left, and rules' names that are surely none.

Belongs here: thresholds and what follows from them. Does not belong here: rules (``names``, ``written``) or the network (``tagger``).

The thresholds were chosen by cross-validation over notes whose author knew no rule (``benchmarks/tagging/cross_validation.py``), recall
before precision.
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

FOUND, LOWER = 0.2, 0.4  # of the surest piece of a run; of small letters or few digits
ALONG, SURE = 0.1, 0.9  # of a piece beside it; of one that mostly stands before names
NONE = 0.1  # of a rule's name, at least
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
        """What ``spans`` leave of runs of likely pieces, one of them very likely."""
        covered = {at for span in spans for at in range(span.start, span.end)}
        for run in self._runs():
            for (free, _), part in groupby(run, lambda at: (self.pieces[at].start not in covered, self.tags[at])):
                if free:
                    yield from self._span(list(part))

    def _runs(self) -> Iterator[list[int]]:
        """Neighbouring likely pieces that are believed."""
        for likely, run in groupby(range(len(self.pieces)), self._likely):
            if likely and self._believed(found := list(run)):
                yield found

    def _likely(self, at: int) -> bool:
        """Whether it is likely enough beside a likely piece; a country, which tells nobody apart, never is."""
        text = self.pieces[at].text
        if text.isalpha() and self.words.country(text):
            return False
        return self.identifying[at] >= (SURE if self._titled(text) else ALONG)

    def _titled(self, word: str) -> bool:
        """Whether it stands before names and mostly is none itself."""
        return word not in PARTICLES and any(self.words.listed(word, what) for what in _NO_NAMES)

    def _believed(self, run: Sequence[int]) -> bool:
        """Whether the surest piece is sure enough; a name all in lower case, a letter or two, or a short number must be surer."""
        texts = [self.pieces[at].text for at in run]
        words = [text for text in texts if text.isalpha() and len(text) >= _LETTERS]
        long = sum(len(text) for text in texts if text.isdecimal()) >= _DIGITS
        plain = long or any(not word.islower() for word in words)
        return max(self.identifying[at] for at in run) >= (FOUND if plain else LOWER)

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


def stood_in(text: str, tags: Sequence[Span]) -> list[Piece]:
    """Pieces of a text, with one word or number for each tag of an earlier run, so that what is around it reads as before."""
    starts = [tag.start for tag in tags]
    out: list[Piece] = []
    for piece in pieces(text):
        at = bisect_right(starts, piece.start) - 1
        if at < 0 or piece.start >= tags[at].end:
            out.append(piece)
        elif piece.start == tags[at].start:
            word = _NAME if tags[at].kind in _NAMED else _NUMBER
            out.append(Piece(word, piece.start, tags[at].end, piece.spaced, piece.first))
    return out
