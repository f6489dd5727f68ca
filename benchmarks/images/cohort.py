"""The real images of the benchmark: 5,835 chest radiographs, split as published.

Belongs here: loading and the split. Does not belong here: fitting.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from records.images import ImageSchema, ImageTable
from use_cases.images import load_image_codebook, load_images

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("PHASEIV_SHARED_DATA", ROOT.parent / "shared" / "data"))
CODEBOOK = ROOT / "use_cases" / "images" / "chest_xray28.yaml"


@cache
def split() -> tuple[ImageTable, ImageTable, ImageSchema]:
    """Images to learn from (published training and validation), images to test on (published test), the codebook."""
    cohort = load_image_codebook(CODEBOOK)
    loaded = load_images(cohort, DATA / "images" / (cohort.source.file or ""), key=b"benchmark of images").table
    held_out = (loaded.rows["split"] == "test").to_numpy()
    schema = cohort.image.model_copy(update={"table": cohort.image.table.select([cohort.image.label.name])})
    parts = [loaded.select(np.flatnonzero(chosen)) for chosen in (~held_out, held_out)]
    train, test = (_without_split(part) for part in parts)
    return train, test, schema


def _without_split(table: ImageTable) -> ImageTable:
    return ImageTable(table.rows.drop("split"), table.pixels, table.unit, table.spacing)


def example(table: ImageTable, schema: ImageSchema, level: str, count: int) -> np.ndarray:
    """The first images of a class."""
    places = np.flatnonzero((table.rows[schema.label.name].cast(pl.String) == level).to_numpy())
    return table.pixels[places[:count]]
