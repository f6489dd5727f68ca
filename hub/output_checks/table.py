"""A frequency or magnitude table as a value.

Belongs here: cells, their labels, and how cells of one or several tables add up. Does not belong here: rules
(``disclosure``), files (``reading``).

References
----------
Hundepool et al. (2012), Statistical Disclosure Control, Wiley, section 4.2 (tables, margins and linked tables).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Literal

TOTALS = frozenset({"total", "all", "sum", "yhteensä", "kaikki"})
Labels = tuple[str, ...]
Place = frozenset[tuple[str, str]]
"""Where a cell lies among several tables: its variables and labels; a total leaves its variable out."""


@dataclass(frozen=True)
class Cell:
    """``count`` of units (``None``: suppressed); for a magnitude table also their ``sum`` and ``largest`` contributions."""

    count: float | None
    sum: float | None = None
    largest: tuple[float, ...] = ()


@dataclass(frozen=True)
class Table:
    """Cells by their labels, one label for each of ``variables``; a label ``total`` is a margin."""

    name: str
    variables: tuple[str, ...]
    cells: Mapping[Labels, Cell]
    levels: tuple[tuple[str, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        found = tuple(
            tuple(dict.fromkeys(labels[i] for labels in self.cells if not is_total(labels[i])))
            for i in range(len(self.variables))
        )
        object.__setattr__(self, "levels", found)

    @property
    def magnitude(self) -> bool:
        """Whether the cells hold sums of contributions."""
        return any(cell.sum is not None for cell in self.cells.values())

    def words(self, labels: Labels) -> str:
        """A cell's name: ``sex = F, region = North``."""
        return ", ".join(f"{v} = {label}" for v, label in zip(self.variables, labels, strict=True))

    def place(self, labels: Labels) -> Place:
        """Where the cell lies."""
        return frozenset((v, x) for v, x in zip(self.variables, labels, strict=True) if not is_total(x))

    def counts(self) -> dict[Place, float | None]:
        """All inner cells and margins: as published, else added up, else ``None``; a missing inner cell holds nobody."""
        known: dict[Place, float | None] = {self.place(labels): cell.count for labels, cell in self.cells.items()}
        for kept in _subsets(len(self.variables)):
            for labels in product(*(self.levels[i] for i in kept)):
                place = frozenset((self.variables[i], x) for i, x in zip(kept, labels, strict=True))
                if place not in known:
                    known[place] = 0.0 if len(kept) == len(self.variables) else self._added(place, kept, known)
        return known

    def published(self, measure: Literal["count", "sum"] = "count") -> dict[Place, float | None]:
        """All inner cells and margins; ``None`` for what was suppressed or, of margins, never published."""
        known = {self.place(labels): getattr(cell, measure) for labels, cell in self.cells.items()}
        empty = {len(self.variables): 0.0}
        return {place: empty.get(len(place)) for place in self.counts()} | known

    def equations(self) -> Iterator[tuple[Place, list[Place]]]:
        """Each margin with the cells that add up to it."""
        for kept in _subsets(len(self.variables)):
            for added in set(range(len(self.variables))) - set(kept):
                for labels in product(*(self.levels[i] for i in kept)):
                    margin = frozenset((self.variables[i], x) for i, x in zip(kept, labels, strict=True))
                    yield margin, [margin | {(self.variables[added], x)} for x in self.levels[added]]

    def _added(self, place: Place, kept: tuple[int, ...], known: Mapping[Place, float | None]) -> float | None:
        """The sum over the first variable that can be added up."""
        for added in (i for i in range(len(self.variables)) if i not in kept):
            parts = [known.get(place | {(self.variables[added], x)}) for x in self.levels[added]]
            if all(part is not None for part in parts):
                return sum(part for part in parts if part is not None)
        return None


def is_total(label: str) -> bool:
    """Whether a label stands for all units."""
    return label.strip().casefold() in TOTALS


def place_words(place: Place) -> str:
    """A cell of several tables in words."""
    return ", ".join(f"{v} = {x}" for v, x in sorted(place)) or "all units"


def _subsets(size: int) -> Iterator[tuple[int, ...]]:
    """Variables that are kept, most first, so that sums find their parts."""
    for kept in range(size, -1, -1):
        yield from combinations(range(size), kept)
