"""Small image cohorts for the metrics: a made-up one whose label is a bright spot, and the chest phantom."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.ndimage import gaussian_filter

import use_cases
from metrics.images import classifiers, segmentation
from models.phantoms import lung_ct_phantom
from records.images import BodyPart, ImageSchema, ImageTable, IntensityUnit, Modality
from records.schema import Column, Kind, Role, Schema
from use_cases.images import load_image_codebook

Draw = Callable[..., ImageTable]


@pytest.fixture(scope="session", autouse=True)
def short_training() -> Iterator[None]:
    """A third of the steps suffices for spots."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifiers, "STEPS", 60)
        patch.setattr(segmentation, "STEPS", 60)
        yield


@pytest.fixture(scope="session")
def image_schema() -> ImageSchema:
    finding = Column(
        name="finding", label="Finding", role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"no": "None", "spot": "Spot"}
    )
    table = Schema(name="spots", title="Labels of spots", columns=(finding,))
    return ImageSchema(
        name="spots", title="Made-up spots", modality=Modality.DX, body_part=BodyPart.CHEST, unit=IntensityUnit.GREY,
        window=(0, 1), size=(24, 24), table=table, labels=("finding",), mask={0: "none", 1: "spot"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def draw_images() -> Draw:
    """``draw_images(patients, seed, slices=1, contrast=0.35)``: smooth noise, half of it with a bright spot."""

    def table(patients: int, seed: int, slices: int = 1, contrast: float = 0.35) -> ImageTable:
        rng = np.random.default_rng(seed)
        count = patients * slices
        base = gaussian_filter(rng.standard_normal((count, 24, 24)), (0, 2, 2))
        # Slices of one patient resemble each other.
        own = np.repeat(gaussian_filter(rng.standard_normal((patients, 24, 24)), (0, 2, 2)), slices, axis=0)
        spot = np.repeat(np.arange(patients) % 2, slices).astype(bool)
        y, x = np.mgrid[:24, :24]
        at = rng.uniform(7, 17, (2, count, 1, 1))
        masks = (((y - at[0]) ** 2 + (x - at[1]) ** 2 < 16) & spot[:, None, None]).astype(np.uint8)
        pixels = np.clip(0.4 + 0.5 * base + 0.8 * own + contrast * masks, 0, 1).astype(np.float32)
        rows = pl.DataFrame(
            {
                "pseudonym": [f"p{seed}-{i // slices:05d}" for i in range(count)],
                "study": pl.Series([1] * count, dtype=pl.Int32),
                "series": pl.Series([1] * count, dtype=pl.Int32),
                "slice": pl.Series([i % slices for i in range(count)], dtype=pl.Int32),
                "finding": np.where(spot, "spot", "no").tolist(),
            }
        )
        return ImageTable(rows, pixels, IntensityUnit.GREY, None, masks)

    return table


@pytest.fixture(scope="session")
def phantom_schema() -> ImageSchema:
    return load_image_codebook(Path(use_cases.__file__).parent / "lung" / "lung_ct_phantom.yaml").image


@pytest.fixture(scope="session")
def phantoms() -> Draw:
    """``phantoms(patients, seed)``: chest phantoms of two slices."""

    def table(patients: int, seed: int) -> ImageTable:
        made = lung_ct_phantom(patients, slices=2, rng=np.random.default_rng(seed))
        own = pl.format("{}-{}", pl.lit(f"phantom-{seed}"), "pseudonym").alias("pseudonym")
        return replace(made, rows=made.rows.with_columns(own))

    return table
