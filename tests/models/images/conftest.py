"""Small cohorts whose truth is known: a bright half tells the class, brightness tells age, a disc is the lesion."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from records.images import INDEX, BodyPart, ImageSchema, ImageTable, IntensityUnit, Modality
from records.schema import Column, Kind, Role, Schema

SIDE = 16
Cohort = Callable[..., tuple[ImageTable, ImageSchema]]


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    """Makes a cohort: ``cohort(patients, slices=1, masks=False, seed=0)``."""
    return _cohort


def _cohort(
    patients: int, *, slices: int = 1, masks: bool = False, seed: int = 0
) -> tuple[ImageTable, ImageSchema]:  # fmt: skip
    rng = np.random.default_rng(seed)
    n = patients * slices
    ill = np.repeat(rng.random(patients) < 0.4, slices)
    age = np.repeat(rng.uniform(40, 80, patients), slices)
    down, right = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE), indexing="ij")
    half = np.where(ill, 1, -1)[:, None, None] * right
    pixels = 50 + 15 * half + ((age - 60) / 2)[:, None, None] + rng.normal(0, 6, (n, SIDE, SIDE))
    marked = np.zeros(pixels.shape, np.uint8)
    if masks:
        places = rng.normal(0, 0.05, n)[:, None, None]
        disc = (down - 0.4 + places) ** 2 + (right - 0.4) ** 2 < 0.3**2
        marked = (disc & ill[:, None, None]).astype(np.uint8)
        pixels = pixels + 25 * marked
    index = {
        "pseudonym": [f"p{i:05d}" for i in np.repeat(np.arange(patients), slices)], "study": 1, "series": 1,
        "slice": np.tile(np.arange(slices), patients),
    }  # fmt: skip
    rows = pl.DataFrame(index, schema=INDEX).with_columns(
        pl.Series("finding", np.where(ill, "ill", "well").tolist(), pl.Enum(["well", "ill"])),
        pl.Series("age", age.round(1)),
    )
    table = ImageTable(
        rows, np.clip(pixels, 0, 100).astype(np.float32), IntensityUnit.HU, (2.0, 2.0), marked if masks else None
    )
    return table, _schema(masks=masks)


def _schema(*, masks: bool) -> ImageSchema:
    columns = (
        Column(
            name="finding", label="Finding", role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"well": "W", "ill": "I"}
        ),
        Column(name="age", label="Age", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=30, maximum=90, step=0.1),
    )
    return ImageSchema(
        name="made", title="Made up", modality=Modality.MR, body_part=BodyPart.PROSTATE, unit=IntensityUnit.HU,
        window=(0, 100), size=(SIDE, SIDE), spacing=(2.0, 2.0), table=Schema(name="made", title="M", columns=columns),
        labels=("finding",), mask={0: "none", 1: "lesion"} if masks else {},
    )  # fmt: skip
