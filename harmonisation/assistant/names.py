"""How alike two column names are.

Belongs here: tokens and fuzzy comparison. Does not belong here: units and values (``ranking``).

References
----------
RapidFuzz: token sort ratio and ratio by the Indel distance.
"""

import re
import unicodedata
from collections.abc import Iterable

from rapidfuzz import fuzz

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPLIT = re.compile(r"[^a-z0-9]+")
# Words that tell how a table was made, not what a column is.
_NOISE = {"num", "fac", "val", "value", "result", "the", "of", "at", "in", "baseline", "base", "day", "first", "last",
          "serum", "plasma", "blood", "daily", "automatic", "physician"}  # fmt: skip
CONTAINED = 0.85
# Abbreviations of so few letters are alike by chance, unless they are equal.
SHORT, BY_CHANCE = 4, 0.6


def tokens(name: str) -> tuple[str, ...]:
    """Small letters without accents, split at capitals and signs, without words that say nothing: ``num_SysBP`` -> ``sys bp``."""
    split = _CAMEL.sub(" ", name)
    plain = unicodedata.normalize("NFKD", split).encode("ascii", "ignore").decode().lower()
    words = [word for word in _SPLIT.split(plain) if word]
    return tuple(word for word in words if word not in _NOISE and not word.isdigit()) or tuple(words)


def likeness(name: str, known: Iterable[str]) -> float:
    """Likeness of a name to the nearest of several, 0 to 1."""
    words = tokens(name)
    return max((_likeness(words, tokens(other)) for other in known), default=0.0)


def _likeness(left: tuple[str, ...], right: tuple[str, ...]) -> float:
    if left == right or "".join(left) == "".join(right):
        return 1.0
    whole = fuzz.token_sort_ratio(" ".join(left), " ".join(right)) / 100
    glued = fuzz.ratio("".join(left), "".join(right)) / 100
    if min(len("".join(left)), len("".join(right))) < SHORT:
        whole, glued = BY_CHANCE * whole, BY_CHANCE * glued
    inside = CONTAINED if _contained(left, right) else 0.0
    return max(whole, glued, inside)


def _contained(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether the words of one are among the other's, or begin with the other's whole name; short ones prove nothing."""
    few, many = sorted((left, right), key=len)
    if set(few) <= set(many) and sum(map(len, few)) >= 3:
        return True
    short, long = sorted(("".join(left), "".join(right)), key=len)
    return len(short) >= 4 and long.startswith(short)
