"""Which images are shown: drawn by a seed, matched by label, so that nothing but the image tells what is real.

Belongs here: choice and order. Does not belong here: pictures and files (``study``).

One slice of a patient at most is shown, and each image once. In a pair both images have the same main label; of single
images each label has as many real as synthetic ones. Half of all right answers are the same, so guessing gives 50 %.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from records.errors import ParameterError
from records.images import PATIENT, ImageTable

REAL, SYNTHETIC, LEFT, RIGHT = "real", "synthetic", "left", "right"
Kind = Literal["real", "synthetic"]


@dataclass(frozen=True)
class Drawn:
    """One question: its images as (kind, row), left to right, the right answer, and their common label."""

    images: tuple[tuple[Kind, int], ...]
    truth: str
    label: str


def draw_pairs(
    real: ImageTable, synthetic: ImageTable, label: str, count: int, rng: np.random.Generator
) -> list[Drawn]:
    """``count`` pairs; in half of them the real image is on the left.

    Raises
    ------
    ParameterError
        There are not enough patients of common labels.
    """
    matches = _matches(real, synthetic, label, count, rng)
    left = rng.permutation(np.arange(count) % 2 == 0)
    made = []
    for (name, one, other), first in zip(matches, left, strict=True):
        images: tuple[tuple[Kind, int], ...] = (("real", one), ("synthetic", other))
        made.append(Drawn(images if first else images[::-1], LEFT if first else RIGHT, name))
    return made


def draw_singles(
    real: ImageTable, synthetic: ImageTable, label: str, count: int, rng: np.random.Generator
) -> list[Drawn]:
    """``count`` single images, half of them real, in random order.

    Raises
    ------
    ParameterError
        The count is odd, or there are not enough patients of common labels.
    """
    if count % 2:
        raise ParameterError(f"single images must be even in number, got {count}; ask for one more")
    matches = _matches(real, synthetic, label, count // 2, rng)
    made = [Drawn((("real", one),), REAL, name) for name, one, _ in matches]
    made += [Drawn((("synthetic", other),), SYNTHETIC, name) for name, _, other in matches]
    return [made[i] for i in rng.permutation(count)]


def order_of(study: str, reader: str, count: int) -> list[int]:
    """Each reader sees the questions in another order, always the same, so that tiredness does not fall on the same ones."""
    seed = int.from_bytes(hashlib.sha256(f"{study}/{reader}".encode()).digest()[:8], "big")
    return np.random.default_rng(seed).permutation(count).tolist()


def _matches(
    real: ImageTable, synthetic: ImageTable, label: str, count: int, rng: np.random.Generator
) -> list[tuple[str, int, int]]:
    """Label, row of a real image and row of a synthetic one, in random order."""
    if count < 1:
        raise ParameterError(f"a study must have at least one question, got {count}; ask for more")
    sides = [_by_label(table, label, rng) for table in (real, synthetic)]
    pairs = [
        (name, one, other)
        for name in sorted(sides[0].keys() & sides[1].keys())
        for one, other in zip(sides[0][name], sides[1][name], strict=False)
    ]
    if len(pairs) < count:
        raise ParameterError(
            f"real and synthetic patients of equal labels must make at least {count} pairs, got {len(pairs)}; "
            "ask for fewer questions or give more images"
        )
    return [pairs[i] for i in rng.permutation(len(pairs))[:count]]


def _by_label(table: ImageTable, label: str, rng: np.random.Generator) -> dict[str, list[int]]:
    """One random row of each patient, by label, in random order."""
    rows = table.rows.select(PATIENT, pl.col(label).cast(pl.String)).with_row_index("row")
    chosen = rows[rng.permutation(len(table)).tolist()].unique(PATIENT, keep="first", maintain_order=True)
    groups = chosen.drop_nulls(label).group_by(label, maintain_order=True).agg("row")
    return dict(groups.iter_rows())
