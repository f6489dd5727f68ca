"""Digests of columns' codebooks, by which parties notice that the same name means different things.

Belongs here: what of a column must be equal everywhere. Does not belong here: labels, sources and other words.
"""

import hashlib
from collections.abc import Iterable

from federation.jobs.job import canonical
from records.schema import Schema

EQUAL = {"name", "kind", "unit", "minimum", "maximum", "earliest", "latest", "missing", "bins", "step"}


def digests(schema: Schema, columns: Iterable[str]) -> dict[str, str]:
    """Column name to digest; columns that the schema does not have are left out."""
    names = set(schema.names)
    return {name: _digest(schema, name) for name in columns if name in names}


def differing(mine: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """Columns of which two codebooks say different things."""
    return sorted(name for name in mine.keys() & theirs.keys() if mine[name] != theirs[name])


def _digest(schema: Schema, name: str) -> str:
    column = schema[name]
    meaning = {**column.model_dump(mode="json", include=EQUAL), "levels": list(column.levels)}
    return hashlib.sha256(canonical(meaning)).hexdigest()
