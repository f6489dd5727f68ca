"""Attacks find released training images, and find nothing in fresh images at the stated rate."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from metrics.images.features import random_convolutions
from metrics.images.membership import ATTACKS, Vectors, attacked, image_membership
from metrics.images.memorisation import memorisation
from metrics.images.nearest import nearest
from records.images import ImageSchema, ImageTable

Draw = Callable[..., ImageTable]


def test_released_training_images_are_found(draw_images: Draw, image_schema: ImageSchema) -> None:
    train, holdout = draw_images(120, 0), draw_images(120, 1)
    noisy = np.clip(train.pixels + np.random.default_rng(0).normal(0, 0.02, train.pixels.shape), 0, 1)
    leaked = replace(train, pixels=noisy.astype(np.float32))
    report = image_membership(train, holdout, leaked, image_schema, random_convolutions(), rng=np.random.default_rng(0))
    assert report.auc_lower is not None
    assert report.auc_lower > 0.9
    assert len(report.attacks) == 4
    found = memorisation(train, holdout, leaked, image_schema, random_convolutions(), rng=np.random.default_rng(0))
    assert all(space["lower"] > 0.9 for space in found["spaces"])


def test_intervals_hold_guessing_at_their_level() -> None:
    """Without a leak the 95 % interval of the density ratio holds 0.5 in at least 91 of 100 repetitions."""
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        sides = [Vectors(rng.standard_normal((80, 4)), np.repeat(np.arange(40), 2), 40) for _ in range(2)]
        area = attacked(ATTACKS["density ratio"], *sides, rng.standard_normal((100, 4)))
        held += area.lower <= 0.5 <= area.upper
    assert held >= 91


def test_memorisation_is_even_without_a_leak(draw_images: Draw, image_schema: ImageSchema) -> None:
    parts = [draw_images(100, seed) for seed in (0, 1, 2)]
    found = memorisation(*parts, image_schema, random_convolutions(), rng=np.random.default_rng(0))
    assert all(0.3 < space["nearer_to_train"] < 0.7 for space in found["spaces"])


def test_few_patients_are_not_measurable(draw_images: Draw, image_schema: ImageSchema) -> None:
    report = image_membership(
        draw_images(12, 0, 5), draw_images(30, 1), draw_images(30, 2), image_schema, random_convolutions(),
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert report.auc_upper is None
    assert report.reason == "12 patients are too few for an attack, at least 20 are needed"


def test_patients_keep_their_images_apart() -> None:
    some = Vectors(np.arange(6.0)[:, None], np.array([0, 0, 1, 1, 2, 2]), 3).of(np.array([2, 0]))
    assert some.values.ravel().tolist() == [0, 1, 4, 5]
    assert some.groups.tolist() == [1, 1, 0, 0]


def test_nearest_equals_loops() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((9, 3)), rng.random((7, 3))
    wanted = [np.mean(sorted(np.linalg.norm(q - r) for r in other)[:5]) for q in one]
    assert nearest(one, other, neighbours=5) == pytest.approx(wanted)
