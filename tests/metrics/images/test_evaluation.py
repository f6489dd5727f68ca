"""The whole evaluation: strict JSON, fresh images near the floor, leaked ones caught, nobody's pixels or names in it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from metrics.images.evaluation import evaluate_images
from metrics.images.features import Extractor, random_convolutions
from metrics.images.fidelity import image_fidelity, independent_pixels, one_per_patient
from metrics.images.gate import judge_images
from records.errors import ParameterError, TableError
from records.images import ImageSchema, ImageTable
from records.privacy import PrivacySpend

Draw = Callable[..., ImageTable]


@pytest.fixture(scope="module")
def evaluation(draw_images: Draw, image_schema: ImageSchema) -> dict[str, Any]:
    """Fresh images with a baseline whose spots are faint."""
    parts = draw_images(80, 0, 2), draw_images(60, 1, 2), draw_images(120, 2)
    faint = {"simulator": draw_images(80, 3, contrast=0.0)}
    return evaluate_images(*parts, image_schema, seed=0, baselines=faint, training_seeds=(0,))


@pytest.mark.slow
def test_strict_json_without_rows(evaluation: dict[str, Any]) -> None:
    text = json.dumps(evaluation, allow_nan=False)
    assert "p0-0" not in text
    assert "p1-0" not in text

    def longest(value: Any) -> int:
        if isinstance(value, dict):
            return max(map(longest, value.values()), default=0)
        return max([len(value), *map(longest, value)]) if isinstance(value, list) else 0

    assert longest(evaluation) <= 24
    assert evaluation["counts"]["train"] == {"patients": 80, "images": 160}


@pytest.mark.slow
def test_fresh_images_are_near_the_floor(evaluation: dict[str, Any]) -> None:
    for part in ("features", "radiomics"):
        sets = evaluation["fidelity"][part]
        assert sets["holdout"]["frechet_share"] == 0
        assert sets["independent"]["frechet_share"] == 1
        assert abs(sets["synthetic"]["frechet_share"]) < 0.25
        assert "inception" not in sets["synthetic"]["extractor"]


def test_a_feature_that_hardly_ever_answers_does_not_decide(draw_images: Draw, image_schema: ImageSchema) -> None:
    """Found on lung phantoms: one held-out image lay thousands of standard deviations from training images."""
    whole = random_convolutions()
    train, holdout, made = draw_images(60, 0, 2), draw_images(60, 1, 2), draw_images(60, 2, 2)
    answers = iter([1e-6, 0.0, 1.0, 0.0])  # training, synthetic, held-out, independent
    found = image_fidelity(
        train, holdout, made, image_schema,
        Extractor("rare", lambda pixels: np.column_stack([whole(pixels), next(answers) * _first(pixels)])),
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert found.features is not None
    assert found.features["holdout"].frechet < found.features["independent"].frechet
    assert abs(found.features["synthetic"].frechet_share) < 0.3


def _first(pixels: np.ndarray) -> np.ndarray:
    """A response of the first image alone."""
    return (np.arange(len(pixels)) == 0) * 0.01


@pytest.mark.slow
def test_utility_stands_beside_the_baseline(evaluation: dict[str, Any]) -> None:
    sides = evaluation["utility"]["prediction"]["sides"]["convolutional"]
    assert evaluation["utility"]["tstr_auc"] == sides["synthetic"]["auc"]["value"]
    assert sides["synthetic"]["auc"]["value"] > sides["simulator"]["auc"]["value"] + 0.1
    assert set(evaluation["utility"]["segmentation"]["sides"]) == {"real", "synthetic", "simulator"}


@pytest.mark.slow
def test_leaked_images_have_the_best_distance_and_are_refused(draw_images: Draw, image_schema: ImageSchema) -> None:
    train, holdout = draw_images(80, 0), draw_images(80, 1)
    leaked = replace(train, rows=train.rows.with_columns(pseudonym="s" + train.rows["pseudonym"]))
    found = evaluate_images(train, holdout, leaked, image_schema, seed=0, training_seeds=(0,))
    assert found["fidelity"]["features"]["synthetic"]["frechet_share"] < 0
    assert found["privacy"]["copies"]["same"] == 1
    verdict = judge_images(found, PrivacySpend(), candidate_sha256=found["candidate_sha256"])
    failed = {finding.rule for finding in verdict.findings if not finding.passed}
    assert {"membership_upper", "copies_excess", "differential_privacy"} <= failed


@pytest.mark.slow
def test_small_cohorts_are_not_measurable(draw_images: Draw, image_schema: ImageSchema) -> None:
    parts = [draw_images(count, seed) for seed, count in enumerate((8, 4, 30))]
    found = evaluate_images(*parts, image_schema, seed=0, training_seeds=(0,))
    json.dumps(found, allow_nan=False)
    assert found["privacy"]["membership"]["reason"]
    reasons = judge_images(found, PrivacySpend(), candidate_sha256=found["candidate_sha256"]).reasons
    assert sum("not measurable" in reason for reason in reasons) >= 4


def test_wrong_tables_are_refused(draw_images: Draw, image_schema: ImageSchema) -> None:
    train, holdout, made = (draw_images(30, seed) for seed in range(3))
    with pytest.raises(TableError, match="30 in both"):
        evaluate_images(train, train, made, image_schema, seed=0)
    with pytest.raises(ParameterError, match="names of their own"):
        evaluate_images(train, holdout, made, image_schema, seed=0, baselines={"real": made})
    small = replace(made, pixels=made.pixels[:, :20, :20], masks=None)
    with pytest.raises(ParameterError, match="must have size"):
        evaluate_images(train, holdout, small, image_schema, seed=0)


def test_order_of_worse_images_is_kept(draw_images: Draw, image_schema: ImageSchema) -> None:
    train, holdout, made = draw_images(60, 0, 2), draw_images(50, 1), draw_images(50, 2)
    noise = np.random.default_rng(0).normal(0, 0.1, made.pixels.shape)
    noisy = replace(made, pixels=np.clip(made.pixels + noise, 0, 1).astype(np.float32))
    rng = np.random.default_rng(0)
    found = image_fidelity(
        train, holdout, noisy, image_schema, random_convolutions(), rng=rng, baselines={"good": made}
    )
    assert found.features is not None
    shares = [found.features[name].frechet_share for name in ("good", "synthetic", "independent")]
    assert shares == sorted(shares)
    assert found.images == 50


def test_one_image_of_each_patient(draw_images: Draw) -> None:
    table = one_per_patient(draw_images(30, 0, 3), 20, np.random.default_rng(0))
    assert len(table) == len(table.patients) == 20


def test_independent_pixels_keep_each_pixels_values() -> None:
    pixels = np.random.default_rng(0).random((9, 3, 4)).astype(np.float32)
    mixed = independent_pixels(pixels, np.random.default_rng(1))
    assert (np.sort(mixed, axis=0) == np.sort(pixels, axis=0)).all()
    assert (mixed != pixels).any()
