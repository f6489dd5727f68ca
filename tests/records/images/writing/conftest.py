"""Small synthetic tables of each modality, and codebooks that read their folders again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.phantoms import PHANTOMS
from records.images import INDEX, ImageSchema, ImageTable, IntensityUnit
from records.images.writing import MadeBy
from use_cases.cohort import Source
from use_cases.images import ImageCohort, load_image_codebook
from use_cases.images.codebook import Layout

ROOT = Path(__file__).parents[4] / "use_cases"
KEY = bytes(16)
PHANTOM_OF = {"lung": "lung_ct_phantom", "prostate": "prostate_t2_phantom", "stroke": "stroke_ct_phantom"}


@pytest.fixture
def made_by() -> MadeBy:
    """A generator with differential privacy."""
    return MadeBy("gaussian_dct", "0.1.0", "run-7f3a", 1.0, 1e-6)


def phantom(use_case: str, *, slices: int = 1) -> tuple[ImageTable, ImageSchema]:
    """A phantom's table and schema."""
    name = PHANTOM_OF[use_case]
    schema = load_image_codebook(ROOT / use_case / f"{name}.yaml").image
    return PHANTOMS[name](6, slices=slices, rng=np.random.default_rng(3)), schema


def as_patients(table: ImageTable, schema: ImageSchema) -> tuple[ImageTable, ImageSchema]:
    """The same images under a codebook that is no phantom's, so that its folder may be loaded as a cohort."""
    name = schema.name.replace("_phantom", "_synthetic")
    described = schema.model_copy(update={"name": name, "title": "Synthetic", "phantom": False})
    values: dict[str, Any] = {name: getattr(table, name) for name in ("pixels", "unit", "spacing", "masks")}
    return ImageTable(rows=table.rows, **values), described


def radiographs() -> tuple[ImageTable, ImageSchema]:
    """Grey pictures of unknown scale."""
    schema = load_image_codebook(ROOT / "images" / "chest_xray28.yaml").image
    columns = [column.model_copy(update={"source": None, "recode": {}}) for column in schema.table.columns]
    schema = schema.model_copy(update={"table": schema.table.model_copy(update={"columns": tuple(columns)})})
    index = {
        "pseudonym": [f"synthetic-{i:03}" for i in range(4)],
        "study": [1] * 4,
        "series": [1] * 4,
        "slice": [0] * 4,
    }
    rows = pl.DataFrame(index, schema=INDEX).with_columns(
        finding=pl.Series(["normal", "pneumonia", "normal", "pneumonia"]),
        split=pl.Series(["train", "val", "train", "test"]),
    )
    pixels = np.random.default_rng(4).random((4, 28, 28), np.float32)
    return ImageTable(rows, pixels, IntensityUnit.GREY, None), schema


@pytest.fixture
def cohort() -> Callable[..., ImageCohort]:
    """A codebook of a written folder."""

    def of(schema: ImageSchema, layout: Layout, **changes: Any) -> ImageCohort:
        source = Source(citation="none", licence="none", origin="written here", file="none")
        return ImageCohort(image=schema.model_copy(update=changes), source=source, layout=layout, folder=ROOT)

    return of
