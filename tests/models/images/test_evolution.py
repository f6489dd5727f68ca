"""Private Evolution and its prior."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from models.images.evolution import EvolvedImages
from models.images.frequencies import Frequencies
from models.images.noisy_sums import NoisySums
from models.images.prior import prior_of
from models.images.seen import seen
from models.images.variations import Variations
from models.phantoms import PHANTOMS
from records.images import INDEX, ImageSchema, ImageTable
from records.validation import validate
from use_cases.images import load_image_codebook

pytestmark = pytest.mark.slow

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


def test_images_follow_the_columns_of_their_rows_within_a_class(cohort: Cohort) -> None:
    """Brightness tells age, and no simulator knows it: pairs of random columns and images are all that is bred from."""
    table, schema = cohort(1500)
    looked_at, rng = seen(table, schema), np.random.default_rng(1)
    sums = NoisySums(np.arange(1500), seeded=rng)
    family = EvolvedImages()
    family.learn(looked_at, sums, 1.0, rng)
    rows, age = rng.permutation(1500)[:600], looked_at.columns[:, 0]

    def agreement(given: np.ndarray) -> float:
        drawn = family.draw(looked_at.classes[rows], looked_at.columns[given], rng).pixels.mean(axis=(1, 2))
        return float(
            np.corrcoef(_within(drawn, looked_at.classes[rows]), _within(age[rows], looked_at.classes[rows]))[0, 1]
        )

    assert agreement(rows) > 0.4
    assert abs(agreement(rng.permutation(rows))) < 0.15
    assert math.fsum(one.rho for one in sums.spent) == pytest.approx(1.0), "the columns are paid for by the votes"
    assert len(sums.spent) == family.rounds


def _within(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Less the mean of the class, since the label is followed anyway."""
    means = np.bincount(classes, values) / np.bincount(classes)
    return values - means[classes]


def test_phantoms_of_the_head_keep_the_atrophy_of_the_old() -> None:
    """Wide ventricles and sulci: what a regression on other phantoms reads as age must be the age of the row."""
    codebook = load_image_codebook(Path(__file__).parents[3] / "use_cases" / "stroke" / "stroke_ct_phantom.yaml").image
    schema = codebook.model_copy(update={"size": (32, 32), "spacing": (7.0, 7.0)})
    many = PHANTOMS["stroke_ct_phantom"](1400, slices=1, size=(32, 32), rng=np.random.default_rng(0))
    rows = many.rows.select(list(INDEX)).hstack(
        validate(many.rows.select(schema.table.names), schema.table, source="made")
    )
    train, other = (seen(replace(many, rows=rows).select(np.arange(*part)), schema) for part in ((0, 900), (900, 1400)))
    rng = np.random.default_rng(1)
    family = EvolvedImages(candidates=60, rounds=6)
    family.learn(train, NoisySums(np.arange(900), seeded=rng), 1.0, rng)
    readable = Ridge(30.0).fit(other.pixels.reshape(500, -1), other.columns[:, 0])

    def agreement(given: np.ndarray) -> float:
        drawn = family.draw(train.classes[:400], train.columns[given], rng).pixels.reshape(400, -1)
        read, wanted = readable.predict(drawn), train.columns[:400, 0]
        return float(np.corrcoef(_within(read, train.classes[:400]), _within(wanted, train.classes[:400]))[0, 1])

    assert agreement(np.arange(400)) > 0.2
    assert abs(agreement(rng.permutation(400))) < 0.15


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
