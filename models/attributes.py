"""A schema's table as discrete attributes, and back.

Belongs here: which attributes a private synthesizer measures. Follow-up time and event are one attribute, because a
survival outcome only means something jointly; the binary task's class is another, derived from it. Does not belong
here: counting them (``oracle``) or values inside a bin (``decode``).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from models.decode import decode_column
from models.junction_tree import Clique
from records.discretisation import edges, encode_column, level_count
from records.errors import ParameterError
from records.schema import Column, Schema

FOLLOW_UP, CLASS = "follow-up", "class"


def attribute_levels(schema: Schema) -> dict[str, int]:
    """Number of levels of each attribute, in the order in which a model takes them."""
    levels = {c.name: level_count(c) for c in covariates(schema)}
    if packed := _packed(schema):
        levels[FOLLOW_UP] = int(np.prod([level_count(c) for c in packed]))
    if class_attribute(schema) == CLASS:
        levels[CLASS] = int(class_of_follow_up(schema).max()) + 1
    return levels


def class_attribute(schema: Schema) -> str | None:
    """Attribute that holds the primary task's class: a column, ``class`` derived from follow-up, or none."""
    if not schema.outcomes:
        return None
    column = schema.outcomes[0].column
    return CLASS if column is None or column in {c.name for c in _packed(schema)} else column


def class_of_follow_up(schema: Schema) -> np.ndarray:
    """Class of each follow-up level.

    Returns
    -------
    numpy.ndarray of int, shape (levels of the follow-up attribute,)
        With a horizon: 0 no event, 1 event within it, 2 censored before it. Else the level of the outcome column.
    """
    outcome, packed = schema.outcomes[0], _packed(schema)
    shape = [level_count(c) for c in packed]
    if outcome.column is not None:
        position = [c.name for c in packed].index(outcome.column)
        return np.indices(shape)[position].ravel()
    if schema.time is None or outcome.horizon is None:
        raise ParameterError(f"{schema.name} must have a follow-up time, got none; mend the codebook")
    beyond = edges(schema.time)[:-1] > outcome.horizon
    event = np.indices(shape)[1].astype(bool)
    return np.where(np.resize(beyond, (shape[1], shape[0])).T, 0, np.where(event, 1, 2)).ravel()


def encode_attributes(table: pl.DataFrame, schema: Schema) -> dict[str, tuple[np.ndarray, int]]:
    """Level numbers of shape (rows,) and number of levels, by attribute."""
    levels, packed = attribute_levels(schema), _packed(schema)
    codes = {c.name: encode_column(table[c.name], c) for c in covariates(schema)}
    if packed:
        shape = [level_count(c) for c in packed]
        codes[FOLLOW_UP] = np.ravel_multi_index([encode_column(table[c.name], c) for c in packed], shape)
    if CLASS in levels:
        codes[CLASS] = class_of_follow_up(schema)[codes[FOLLOW_UP]]
    return {name: (codes[name], count) for name, count in levels.items()}


def decode_attributes(codes: dict[str, np.ndarray], schema: Schema, rng: np.random.Generator) -> pl.DataFrame:
    """Rows in schema types; the class is not a column and is dropped."""
    columns = {c.name: codes[c.name] for c in covariates(schema)}
    if packed := _packed(schema):
        levels = np.unravel_index(codes[FOLLOW_UP], [level_count(c) for c in packed])
        columns |= dict(zip((c.name for c in packed), levels, strict=True))
    return pl.DataFrame([decode_column(columns[c.name], c, rng) for c in schema.columns])


def evidence(given: pl.DataFrame, schema: Schema) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What rows that hold some of the schema's columns say about attributes.

    Returns
    -------
    known : dict of str to numpy.ndarray of int, shape (rows,)
        Levels that are fixed.
    allowed : dict of str to numpy.ndarray of bool, shape (rows, levels)
        Follow-up levels that are possible where only time or only event is given.
    """
    codes = {name: encode_column(given[name], schema[name]) for name in given.columns}
    packed = [c.name for c in _packed(schema)]
    known = {name: levels for name, levels in codes.items() if name not in packed}
    held = [name for name in packed if name in codes]
    shape = [level_count(c) for c in _packed(schema)]
    if held and len(held) == len(packed):
        known[FOLLOW_UP] = np.ravel_multi_index([codes[name] for name in packed], shape)
    elif held:
        position = packed.index(held[0])
        return known, {FOLLOW_UP: np.indices(shape)[position].ravel() == codes[held[0]][:, None]}
    return known, {}


def attributes_of(names: Sequence[str], schema: Schema) -> Clique:
    """Attributes that hold columns, each once, in the model's order; ``class`` names the primary outcome's class.

    Raises
    ------
    ParameterError
        A name is neither a column nor ``class``.
    """
    packed, levels = {c.name for c in _packed(schema)}, attribute_levels(schema)
    wanted = {FOLLOW_UP if name in packed else name for name in names}
    if CLASS in wanted and CLASS not in levels:
        wanted = wanted - {CLASS} | {class_attribute(schema) or CLASS}
    if unknown := sorted(wanted - set(levels)):
        raise ParameterError(
            f"marginals must name columns of {schema.name} or class, got {', '.join(unknown)}; mend them"
        )
    return tuple(name for name in levels if name in wanted)


def covariates(schema: Schema) -> list[Column]:
    """Columns that are attributes of their own."""
    held = {c.name for c in _packed(schema)}
    return [c for c in schema.columns if c.name not in held]


def _packed(schema: Schema) -> list[Column]:
    if schema.time is None or schema.event is None:
        return []
    return [schema.time, schema.event]
