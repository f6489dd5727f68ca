"""What a column could be: the columns of known codebooks, and a list of common clinical variables.

Belongs here: candidates as values. Does not belong here: comparing them with a column (``ranking``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from records.schema import Column, Kind, Role, Schema

LIST = Path(__file__).with_name("variables.yaml")
_PREFERRED = ("LOINC", "SNOMED", "ICD-10", "ATC", "RxNorm")
_BINARY = frozenset({"0", "1", "no", "yes"})


@dataclass(frozen=True)
class Candidate:
    """A meaning that a column may have.

    Parameters
    ----------
    system, code : str
        The concept.
    low, high : float or None
        Range in which nearly all values of adult patients lie, in ``unit``.
    levels : frozenset of str
        Codes and labels of a category, in small letters; ``no`` and ``yes`` for a condition.
    names : tuple of str
        What such columns are called.
    origin : str
        Codebook, or ``list``.
    """

    system: str
    code: str
    label: str
    kind: Kind
    unit: str | None
    low: float | None
    high: float | None
    levels: frozenset[str]
    names: tuple[str, ...]
    origin: str

    @property
    def concept(self) -> str:
        """``LOINC:8480-6``."""
        return f"{self.system}:{self.code}"


def candidates(schemas: Iterable[Schema] = ()) -> list[Candidate]:
    """The list of common variables, and the coded columns of ``schemas``."""
    return [*listed(), *(found for schema in schemas for found in of_codebook(schema))]


def of_codebook(schema: Schema) -> Iterator[Candidate]:
    """The coded columns of a codebook."""
    for column in schema.columns:
        system = next((name for name in _PREFERRED if name in column.codes), None)
        if system is not None and column.role is not Role.IDENTIFIER:
            yield _of_column(column, system, schema.name)


@cache
def listed() -> tuple[Candidate, ...]:
    """The list of common variables, none of them verified."""
    groups: dict[str, list[list[Any]]] = yaml.load(LIST.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    numbers = (
        Candidate(system, code, label, Kind.NUMBER, unit, low, high, frozenset(), _names(label, names), "list")
        for system, code, label, unit, low, high, names in groups["numbers"]
    )
    categories = (
        Candidate(
            system,
            code,
            label,
            Kind.CATEGORY,
            None,
            None,
            None,
            frozenset(levels.split()),
            _names(label, names),
            "list",
        )
        for system, code, label, levels, names in groups["categories"]
    )
    conditions = (
        Candidate(system, str(code), label, Kind.CATEGORY, None, None, None, _BINARY, _names(label, names), "list")
        for system, code, label, names in groups["conditions"]
    )
    return (*numbers, *categories, *conditions)


def _of_column(column: Column, system: str, origin: str) -> Candidate:
    levels = frozenset(word.casefold() for pair in column.levels.items() for word in pair)
    names = tuple(name for name in (column.name, column.label, column.source) if name)
    low, high = _usual(column)
    return Candidate(
        system, column.codes[system], column.label, column.kind, column.unit, low, high, levels, names, origin
    )


def _usual(column: Column) -> tuple[float | None, float | None]:
    """Bounds are possible values; usual ones lie among the clinical thresholds and half their span around."""
    low, high = column.minimum, column.maximum
    if low is None or high is None or len(column.bins) < 2:
        return low, high
    around = (column.bins[-1] - column.bins[0]) / 2
    return max(low, column.bins[0] - around), min(high, column.bins[-1] + around)


def _names(label: str, names: str) -> tuple[str, ...]:
    return (label, *(name.strip() for name in names.split(";")))
