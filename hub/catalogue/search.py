"""Full-text search with facets over all published data sets, in memory.

Belongs here: which data sets fit, in which order, and what they have in common. Does not belong here: reading a page of them
(``service``).

The store's own indexes find words as fast, but read every row that fits for facets and order: with 10,000 data sets that is
most of a search. Ten thousand descriptions take a few MiB here. The index is made anew when the stamp of what is published
has changed. In a large catalogue that is looked at once a second, and if making it takes long, it is made only so often that
it stays a tenth of the time: searches meanwhile see the former index.
"""

import re
import time
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.catalogue.tables import Dataset

MOST_WORDS, REST = 8, 10
LARGE, LOOK_EVERY = 1000, 1.0  # data sets, seconds
FACETS = ("theme", "category", "access_rights", "publisher", "synthetic", "modality")
MANY = ("theme", "category")
PUBLISHED = Dataset.status == "published"
STAMP = sa.select(sa.func.count(), sa.func.max(Dataset.published_at), sa.func.sum(Dataset.version)).where(PUBLISHED)
ROWS = (
    sa.select(Dataset.id, Dataset.title, Dataset.words, *(getattr(Dataset, name) for name in FACETS))
    .where(PUBLISHED)
    .order_by(Dataset.published_at.desc(), Dataset.title, Dataset.id)
)
LAST_LETTER = "\U0010ffff"
Positions = np.ndarray[Any, Any]


def words_of(text: str) -> list[str]:
    """Words, in small letters and without accents."""
    return re.findall(r"\w+", folded(text))


def folded(text: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


@dataclass(frozen=True)
class Group:
    """Data sets that have the same values in all facets."""

    values: dict[str, tuple[str, ...]]
    size: int

    def unmet(self, chosen: Mapping[str, str]) -> list[str]:
        """Facets whose chosen value they do not have."""
        return [name for name, value in chosen.items() if value not in self.values[name]]


class Index:
    """Data sets by position, newest first; positions of each word lie together, words in the order of their letters."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.ids, self.titles = [row.id for row in rows], [folded(row.title) for row in rows]
        kinds: dict[tuple[Any, ...], int] = {}
        groups = [kinds.setdefault(tuple(row[3:]), len(kinds)) for row in rows]
        self.group, self.kinds = np.array(groups, np.int64), [_values(kind) for kind in kinds]
        where: dict[str, list[int]] = defaultdict(list)
        for position, row in enumerate(rows):
            for word in set(re.findall(r"\w+", row.words)):
                where[word].append(position)
        self.words = sorted(where)
        self.ends = np.cumsum([0, *(len(where[word]) for word in self.words)])
        self.positions = np.fromiter((p for word in self.words for p in where[word]), np.int64, int(self.ends[-1]))

    def find(self, text: str) -> Positions:
        """Positions of what fits; every word must begin a word of the description."""
        mask = np.ones(len(self.ids), bool)
        for word in words_of(text)[:MOST_WORDS]:
            one = np.zeros(len(self.ids), bool)
            first, last = bisect_left(self.words, word), bisect_left(self.words, word + LAST_LETTER)
            one[self.positions[self.ends[first] : self.ends[last]]] = True
            mask &= one
        return np.flatnonzero(mask)

    def groups(self, found: Positions) -> list[Group]:
        """What the found ones have in common."""
        sizes = np.bincount(self.group[found], minlength=len(self.kinds))
        return [Group(kind, int(n)) for kind, n in zip(self.kinds, sizes, strict=True) if n]

    def narrowed(self, found: Positions, chosen: Mapping[str, str]) -> Positions:
        """The found ones that have the chosen values."""
        fits = np.array([not Group(kind, 0).unmet(chosen) for kind in self.kinds], bool)
        return found[fits[self.group[found]]] if chosen else found

    def page(self, found: Positions, text: str, start: int, end: int) -> list[str]:
        """Ids of a part of the found ones; those with the first word in their title come before the others."""
        if words := words_of(text):
            # A word of the title tells more than one of a variable; within both the newest come first.
            titled = np.fromiter((words[0] in self.titles[p] for p in found.tolist()), bool, len(found))
            found = np.concatenate([found[titled], found[~titled]])
        return [self.ids[p] for p in found[start:end].tolist()]


@dataclass(frozen=True)
class _Kept:
    index: Index
    stamp: tuple[Any, ...]
    made: float
    took: float
    looked: float  # when the stamp was last compared


_kept: WeakKeyDictionary[sa.Pool, _Kept] = WeakKeyDictionary()
_making = Lock()


def index_of(session: Session) -> Index:
    """The index of the session's store."""
    store = session.get_bind().engine.pool
    if (kept := _kept.get(store)) is not None and _fresh(kept):
        return kept.index
    stamp = tuple(session.execute(STAMP).one())
    with _making:
        kept = _kept[store] = _renewed(session, _kept.get(store), stamp)
    return kept.index


def _fresh(kept: _Kept) -> bool:
    """Whether a large catalogue was compared a moment ago; a small one is compared each time."""
    return len(kept.index.ids) > LARGE and time.monotonic() - kept.looked < LOOK_EVERY


def _renewed(session: Session, kept: _Kept | None, stamp: tuple[Any, ...]) -> _Kept:
    now = time.monotonic()
    if kept is not None and (kept.stamp == stamp or now - kept.made < REST * kept.took):
        return replace(kept, looked=now)
    index = Index(session.execute(ROWS).all())
    return _Kept(index, stamp, time.monotonic(), time.monotonic() - now, now)


def _values(kind: tuple[Any, ...]) -> dict[str, tuple[str, ...]]:
    return {name: _several(name, stored) for name, stored in zip(FACETS, kind, strict=True)}


def _several(name: str, stored: Any) -> tuple[str, ...]:
    if name in MANY:
        return tuple(stored.split())
    return (str(stored).lower(),) if isinstance(stored, bool) else (stored,) if stored else ()
