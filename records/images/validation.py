"""Checking an image table against its schema: all problems in one error, never a row value.

Belongs here: counting breaches. Does not belong here: mending the images.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from records.errors import Problem, TableError
from records.images.schema import ImageSchema
from records.images.table import INDEX, ImageTable
from records.validation import validate

_LOAD_AGAIN = "load the images through this codebook"


def validate_images(table: ImageTable, schema: ImageSchema, *, source: str) -> ImageTable:
    """The table with exactly the schema's columns, after the index columns, in the schema's types.

    Parameters
    ----------
    source : str
        Name of the table in the error.

    Raises
    ------
    TableError
        With *all* problems of the columns, or all of the images: size, spacing, unit, intensities out of the window,
        mask values without a meaning, missing masks, a label with fewer than two levels present, phantoms unnamed.
    """
    typed = validate(table.rows.drop(list(INDEX)), schema.table, source=source)
    problems = [*image_problems(table, schema), *_classes(table, schema)]
    if problems:
        raise TableError(source, problems)
    return replace(table, rows=table.rows.select(list(INDEX)).hstack(typed))


def image_problems(table: ImageTable, schema: ImageSchema) -> list[Problem]:
    """Breaches of the images alone: all that is asked of images of one class, as a synthesizer may draw them."""
    return [*_form(table, schema), *_values(table, schema)]


def _form(table: ImageTable, schema: ImageSchema) -> Iterator[Problem]:
    for what, wanted, got in (
        ("size", schema.size, table.size),
        ("unit", schema.unit.value, table.unit.value),
        ("phantom", schema.phantom, table.phantom),
    ):
        if wanted != got:
            yield Problem(what, f"be {wanted}", str(got), _LOAD_AGAIN)
    if (table.spacing is None) != (schema.spacing is None) or (
        table.spacing and schema.spacing and not np.allclose(table.spacing, schema.spacing, rtol=1e-3)
    ):
        yield Problem("spacing", f"be {schema.spacing} mm", f"{table.spacing}", _LOAD_AGAIN)
    if bool(schema.mask) != (table.masks is not None):
        have = "have" if schema.mask else "not have"
        yield Problem("masks", f"{have} an array", "the other", "mend the codebook's mask or load it")


def _values(table: ImageTable, schema: ImageSchema) -> Iterator[Problem]:
    low, high = schema.window
    # float32 cannot hold every bound exactly
    slack = 1e-5 * (high - low)
    outside = ((table.pixels < low - slack) | (table.pixels > high + slack)).any(axis=(1, 2)).sum()
    if outside:
        yield Problem("intensity", f"lie in {low:g} to {high:g}", f"{outside} images outside", "apply the window")
    if table.masks is not None and schema.mask:
        unknown = int((~np.isin(table.masks, list(schema.mask))).any(axis=(1, 2)).sum())
        if unknown:
            yield Problem("masks", f"hold {sorted(schema.mask)} only", f"{unknown} with others", "name their meaning")


def _classes(table: ImageTable, schema: ImageSchema) -> Iterator[Problem]:
    present = table.rows[schema.labels[0]].drop_nulls().n_unique()
    if present < 2:
        yield Problem(schema.labels[0], "have two levels present", f"{present}", "add images of another class")
