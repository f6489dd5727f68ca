"""How likely each piece of a text is part of an identifier, by a small network that was trained on annotated sentences.

Belongs here: running the network. Does not belong here: its features (``features``), its training (``benchmarks/tagging``), or what
follows for the rules' spans (``weighing``).

A piece is the sum of its features' rows; three convolutions over five pieces look at its neighbours, near ones first, eight on either side
in all; a committee of such networks is asked and the mean of their probabilities taken.

References
----------
Weinberger et al. (2009). Feature hashing for large scale multitask learning. ICML.
Collobert et al. (2011). Natural language processing (almost) from scratch. JMLR 12: the window approach.
Yu & Koltun (2016). Multi-scale context aggregation by dilated convolutions. ICLR.
Wolpert (1992). Stacked generalization. Neural Networks 5: learning from what other finders say.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from deidentification.text.features import Piece, of_place, of_verdict, of_word, shape

WIDTH = 5
LAYERS = {"first": 1, "second": 1, "third": 2}  # how far apart the five pieces are
_WEIGHTS = "tagger.npz"
_REMEMBERED = 50_000
Array = NDArray[np.float32]


class Tag(IntEnum):
    """What a piece may be part of."""

    OTHER = 0
    PERSON = 1
    PLACE = 2
    NUMBER = 3
    DATE = 4


class Tagger:
    """The committee.

    Parameters
    ----------
    weights : mapping of str to array
        By name, each with an axis for the members first.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.generic]]) -> None:
        arrays = {name: array.astype(np.float32) for name, array in weights.items()}
        self._members = [{name: array[at] for name, array in arrays.items()} for at in range(len(arrays["table"]))]
        self._rows: dict[object, Array] = {}
        self._threads = ThreadpoolController()

    def likely(self, found: Sequence[Piece], said: Sequence[str], code: str) -> Array:
        """For each piece of a text, with what the rules said of it, a row with the probability of every ``Tag``."""
        if not found:
            return np.zeros((0, len(Tag)), np.float32)
        seen = np.stack([self._seen(*of, code) for of in zip(found, said, strict=True)], axis=1)
        with self._threads.limit(limits=1):  # more threads wait for one another longer than they multiply
            return np.mean([_judged(rows, of) for rows, of in zip(seen, self._members, strict=True)], axis=0)

    def _seen(self, piece: Piece, said: str, code: str) -> Array:
        """The sum of the rows of a piece's features, by member; remembered for the words seen before."""
        word, place = (piece.text, code), (piece.spaced, piece.first, shape(piece.text))
        if len(self._rows) > _REMEMBERED:
            self._rows.clear()
        if word not in self._rows:
            self._rows[word] = self._sum([row for _, row in of_word(*word)])
        if place not in self._rows:
            self._rows[place] = self._sum([row for _, row in of_place(*place)])
        if said not in self._rows:
            self._rows[said] = self._sum([row for _, row in of_verdict(said)])
        return self._rows[word] + self._rows[place] + self._rows[said]

    def _sum(self, rows: Sequence[int]) -> Array:
        return np.stack([of["table"][rows].sum(axis=0) for of in self._members])


@cache
def tagger() -> Tagger:
    """The tagger of the package."""
    packed = files("deidentification.text").joinpath(_WEIGHTS).read_bytes()
    with np.load(BytesIO(packed), allow_pickle=False) as stored:
        return Tagger({name: stored[name] for name in stored.files})


def _judged(seen: Array, of: Mapping[str, Array]) -> Array:
    """Probabilities of one member."""
    hidden = np.maximum(seen + of["bias"], 0)
    for name, apart in LAYERS.items():
        new = np.maximum(_convolved(hidden, of[name], apart) + of[f"{name}_bias"], 0)
        hidden = hidden + new if hidden.shape == new.shape else new
    scores = hidden @ of["out"] + of["out_bias"]
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    return likely / likely.sum(axis=1, keepdims=True)


def _convolved(rows: Array, kernel: Array, apart: int) -> Array:
    """Each row with its neighbours times the kernel, zeros beyond the ends."""
    padded = np.pad(rows, ((WIDTH // 2 * apart, WIDTH // 2 * apart), (0, 0)))
    windows = np.concatenate([padded[at * apart : at * apart + len(rows)] for at in range(WIDTH)], axis=1)
    return windows @ kernel
