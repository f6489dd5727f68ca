"""Classifiers learn what is there, on real images only as well as the labels allow; intervals hold guessing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from metrics.images.labels import class_aucs, label_codes, patient_weights
from metrics.images.train_test import TrainTestReport, train_test
from records.images import ImageSchema, ImageTable

Draw = Callable[..., ImageTable]


@pytest.fixture(scope="module")
def report(draw_images: Draw, image_schema: ImageSchema) -> TrainTestReport:
    real, made = draw_images(150, 0), draw_images(150, 1)
    labels = made.rows["finding"].sample(fraction=1, shuffle=True, seed=0)
    shuffled = replace(made, rows=made.rows.with_columns(labels))
    one_class = made.select((made.rows["finding"] == "spot").to_numpy())
    sources = {"real": real, "synthetic": made, "shuffled": shuffled, "one class": one_class}
    return train_test(sources, draw_images(120, 2, 2), image_schema, seeds=(0, 1))


@pytest.mark.slow
def test_what_is_there_is_learnt(report: TrainTestReport) -> None:
    sides = report.sides["convolutional"]
    assert sides["real"].auc.lower > 0.85
    assert sides["synthetic"].auc.value == pytest.approx(sides["real"].auc.value, abs=0.08)
    assert sides["synthetic"].loss.lower <= 0 <= sides["synthetic"].loss.upper + 0.05
    assert len(sides["real"].by_seed) == 2
    assert (report.test_images, report.test_patients) == (240, 120)


@pytest.mark.slow
def test_shuffled_labels_teach_little(report: TrainTestReport) -> None:
    for sides in report.sides.values():
        assert sides["shuffled"].auc.value < 0.7
    assert report.sides["convolutional"]["shuffled"].loss.lower > 0.1


@pytest.mark.slow
def test_a_source_of_one_class_has_a_reason(report: TrainTestReport) -> None:
    side = report.sides["logistic"]["one class"]
    assert side.reason == "the training images hold fewer than two classes"
    assert np.isnan(side.auc.value)
    assert report.to_json()["sides"]["logistic"]["one class"]["auc"]["value"] is None


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(draw_images: Draw, image_schema: ImageSchema) -> None:
    sources, test = {"real": draw_images(40, 0)}, draw_images(40, 1)
    one, other = (train_test(sources, test, image_schema, seeds=(3,)).to_json() for _ in range(2))
    assert one == other


def test_unknown_labels_are_left_out(draw_images: Draw, image_schema: ImageSchema) -> None:
    test = draw_images(40, 1)
    hidden = pl.when(pl.int_range(pl.len()) < 10).then(None).otherwise(pl.col("finding")).alias("finding")
    test = replace(test, rows=test.rows.with_columns(hidden))
    assert (label_codes(test, image_schema) == -1).sum() == 10
    found = train_test({"real": draw_images(40, 0)}, test, image_schema, seeds=(0,), models=("logistic",))
    assert found.test_images == 30


def test_several_classes_equal_the_peer() -> None:
    rng = np.random.default_rng(0)
    codes, scores = rng.integers(3, size=80), rng.dirichlet([1, 1, 1], 80)
    wanted = roc_auc_score(codes, scores, multi_class="ovr", average="macro")
    assert class_aucs(scores, codes, np.ones((1, 80)))[0] == pytest.approx(wanted)
    assert np.isnan(class_aucs(scores, np.zeros(80, int), np.ones((1, 80)))[0])


def test_resamples_draw_patients_with_all_slices() -> None:
    weights = patient_weights(np.repeat([4, 7, 9], [2, 3, 1]), 50, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 2, 5]].sum(axis=1) == 3).all()
