"""Private Evolution and its prior."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.images.evolution import EvolvedImages
from models.images.frequencies import Frequencies
from models.images.noisy_sums import NoisySums
from models.images.prior import prior_of
from models.images.seen import seen
from models.images.variations import Variations
from models.phantoms import PHANTOMS
from records.images import ImageSchema, ImageTable
from use_cases.images import load_image_codebook

Cohort = Callable[..., tuple[ImageTable, ImageSchema]]


def test_votes_bring_the_images_nearer_to_the_patients(cohort: Cohort) -> None:
    table, schema = cohort(800)
    looked_at, rng = seen(table, schema), np.random.default_rng(0)
    waves = Frequencies(schema.size)

    def gap(rounds: int) -> float:
        family = EvolvedImages(candidates=40, rounds=rounds)
        family.learn(looked_at, NoisySums(np.arange(800), seeded=rng), 0.5, rng)
        drawn = family.draw(looked_at.classes, looked_at.columns, rng).pixels
        return float(np.linalg.norm(waves.forward(drawn, 20).mean(0) - waves.forward(looked_at.pixels, 20).mean(0)))

    assert gap(6) < 0.75 * gap(1)


def test_variations_stay_in_the_window_and_move_masks_along() -> None:
    rng = np.random.default_rng(0)
    pixels = np.full((20, 32, 32), -0.9)
    pixels[:, 10:20, 10:20] = 0.9
    masks = (pixels > 0).astype(np.uint8)
    made = Variations((32, 32))(pixels, pixels, masks, 1.0, rng)
    assert made.masks is not None
    assert set(np.unique(made.masks)) == {0, 1}
    assert np.abs(made.pixels).max() <= 1
    assert not np.array_equal(made.masks, masks)
    for image, mask in zip(made.pixels, made.masks, strict=True):
        assert image[mask > 0].mean() - image[mask == 0].mean() > 1
    still = Variations((32, 32))(pixels, pixels, masks, 0.0, rng)
    assert still.pixels == pytest.approx(pixels, abs=1e-6)


@pytest.mark.parametrize("use_case", ["lung", "prostate", "stroke"])
def test_the_prior_of_a_phantoms_codebook_is_its_simulator(use_case: str) -> None:
    folder = Path(__file__).parents[3] / "use_cases" / use_case
    schema = load_image_codebook(next(folder.glob("*_phantom.yaml"))).image
    assert schema.name in PHANTOMS
    classes = np.arange(6) % len(schema.label.levels)
    drawn = prior_of(schema)(classes, np.random.default_rng(0))
    assert drawn.masks is not None
    assert (drawn.masks.any(axis=(1, 2)) == (classes > 0)).all()  # the first level of each is without a lesion
