"""Planted copies are all found, whatever was done to them; fresh phantoms are none."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from metrics.images.copies import image_copies, search
from metrics.images.intensities import unit_pixels
from records.images import ImageSchema, ImageTable

Draw = Callable[..., ImageTable]

NOISE = np.random.default_rng(9)
ALTERED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exact": lambda x: x,
    "noise": lambda x: x + NOISE.normal(0, 0.02, x.shape),
    "mirrored": lambda x: x[:, :, ::-1],
    "upside down": lambda x: x[:, ::-1],
    "shifted": lambda x: np.roll(x, (2, -1), axis=(1, 2)),
    "darker": lambda x: 0.8 * x,
    "less contrast": lambda x: 0.7 * x + 0.2,
    "gamma": lambda x: x**1.3,
    "all": lambda x: np.roll(0.85 * x[:, :, ::-1] + 0.05, (1, -1), axis=(1, 2)) + NOISE.normal(0, 0.02, x.shape),
}


@pytest.fixture(scope="module")
def train(phantoms: Draw) -> ImageTable:
    return phantoms(60, 0)


@pytest.mark.parametrize("name", ALTERED)
def test_every_planted_copy_is_found(train: ImageTable, phantom_schema: ImageSchema, name: str) -> None:
    known = unit_pixels(train, phantom_schema)
    planted = np.clip(ALTERED[name](known[::8]), 0, 1).astype(np.float32)
    found = search(planted, known, train.groups())
    assert found.copies.all()
    assert found.same.all() == (name not in {"noise", "gamma", "all"})


def test_fresh_phantoms_are_no_copies_and_planted_ones_are_counted(
    train: ImageTable, phantoms: Draw, phantom_schema: ImageSchema
) -> None:
    """None of 60 fresh images is taken for a copy, and at most 1 of 40 others; 5 planted among 60 are counted as 5."""
    fresh, holdout = phantoms(30, 5), phantoms(20, 6)
    report = image_copies(train, holdout, fresh, phantom_schema, rng=np.random.default_rng(0))
    assert report.share is not None
    assert report.share.value == 0
    assert report.chance is not None
    assert report.chance <= 1 / 40
    mixed = replace(fresh, pixels=np.concatenate([fresh.pixels[:55], train.pixels[:5]]))
    report = image_copies(train, holdout, mixed, phantom_schema, rng=np.random.default_rng(0))
    assert report.share is not None
    assert report.share.value * report.images == pytest.approx(5)
    assert report.excess == pytest.approx(5 / 60 - report.chance)


def test_blank_images_are_no_copies(train: ImageTable, phantom_schema: ImageSchema) -> None:
    blank = np.full((3, *train.size), 0.5, np.float32)
    assert not search(blank, unit_pixels(train, phantom_schema), train.groups()).copies.any()


def test_nothing_to_compare_has_a_reason(train: ImageTable, phantom_schema: ImageSchema) -> None:
    none = train.select(np.zeros(len(train), dtype=bool))
    report = image_copies(train, train, none, phantom_schema, rng=np.random.default_rng(0))
    assert report.share is None
    assert report.reason
    assert pl.DataFrame([report.to_json()])["excess"].to_list() == [None]
