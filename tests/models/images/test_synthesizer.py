"""Image synthesizers as their users see them: what comes out, what it costs, what is refused, whether it is of use."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from models.images.embedding import EmbeddedImages
from models.images.evolution import EvolvedImages
from models.images.gaussian import GaussianImages
from models.images.registry import FAMILIES, NAMES, build
from models.images.synthesizer import Family, StatisticSynthesizer
from records.accounting import epsilon_to_rho
from records.errors import ParameterError, TableError
from records.images import ImageSchema, ImageTable, PrivacyUnit, validate_images
from records.protocols import ImageSynthesizer

Cohort = Callable[..., tuple[ImageTable, ImageSchema]]
DELTA = 1e-5


def _fitted(family: Family, made: tuple[ImageTable, ImageSchema], epsilon: float | None) -> StatisticSynthesizer:
    budget = None if epsilon is None else epsilon_to_rho(epsilon, DELTA)
    model = StatisticSynthesizer(family, delta=DELTA, secure=False)
    return model.fit(*made, budget=budget, rng=np.random.default_rng(0))


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in ("embedding", "tilted")])
def test_drawn_images_keep_the_codebook_and_the_budget(cohort: Cohort, name: str, masks: bool) -> None:
    table, schema = cohort(300, slices=2, masks=masks)
    budget = epsilon_to_rho(2.0, DELTA)
    model = build(name, delta=DELTA, secure=False).fit(table, schema, budget=budget, rng=np.random.default_rng(0))
    drawn = model.sample(40, rng=np.random.default_rng(1))
    validate_images(drawn, schema, source="drawn")
    assert len(drawn.patients) == len(drawn) == 40
    assert drawn.rows.columns == table.rows.columns
    spend = model.privacy_
    assert spend.rho == pytest.approx(sum(one.rho for one in spend.mechanisms))
    assert 0.9 * budget < (spend.rho or 0) <= budget * (1 + 1e-9)
    assert spend.epsilon == pytest.approx(2.0, abs=0.1)
    assert (spend.secure, spend.delta) == (False, DELTA)
    assert abs(model.total_ - 300) < 60


def test_a_release_draws_its_noise_from_the_operating_system(cohort: Cohort) -> None:
    table, schema = cohort(100)
    found = []
    for _ in range(2):
        model = build("auto", delta=DELTA).fit(table, schema, budget=0.5, rng=np.random.default_rng(0))
        assert model.privacy_.secure
        found.append(model.sample(5, rng=np.random.default_rng(0)).pixels)
    assert not np.array_equal(found[0], found[1])


def test_the_same_seed_draws_the_same_images(cohort: Cohort) -> None:
    one, other = (_fitted(GaussianImages(), cohort(200), 3.0).sample(9, rng=np.random.default_rng(4)) for _ in "ab")
    assert np.array_equal(one.pixels, other.pixels)
    assert one.rows.equals(other.rows)


@pytest.mark.parametrize(
    "family",
    [
        GaussianImages(),
        EvolvedImages(candidates=50, rounds=5),
        pytest.param(EmbeddedImages(steps=60), marks=pytest.mark.slow),
    ],
    ids=lambda family: type(family).__name__,
)
def test_what_tells_classes_apart_is_learnt_where_the_prior_knows_nothing(cohort: Cohort, family: Family) -> None:
    test = cohort(300, seed=9)[0]
    drawn = _fitted(family, cohort(1500), 5.0).sample(600, rng=np.random.default_rng(0))
    blind = build("prior", delta=DELTA, secure=False)
    blind.fit(*cohort(1500), budget=0.1, rng=np.random.default_rng(0))
    unlearnt = blind.sample(600, rng=np.random.default_rng(0))
    assert transferred_auc(drawn, test) > 0.85
    assert transferred_auc(unlearnt, test) < 0.8


def transferred_auc(train: ImageTable, test: ImageTable) -> float:
    """AUC on ``test`` of a logistic regression on the pixels of ``train``."""
    x, y = train.pixels.reshape(len(train), -1) / 100, (train.rows["finding"] == "ill").to_numpy()
    model = LogisticRegression(C=0.01, max_iter=200).fit(x, y)
    score = model.decision_function(test.pixels.reshape(len(test), -1) / 100)
    return float(roc_auc_score((test.rows["finding"] == "ill").to_numpy(), score))


def test_images_agree_with_the_columns_that_are_asked_for(cohort: Cohort) -> None:
    model = _fitted(GaussianImages(), cohort(2000), 10.0)
    ages = np.tile([45.0, 75.0], 100)
    wanted = pl.DataFrame({"age": ages, "finding": ["ill"] * 200})
    drawn = model.sample(given=wanted, rng=np.random.default_rng(0))
    assert drawn.rows["finding"].cast(pl.String).to_list() == ["ill"] * 200
    assert drawn.rows["age"].to_list() == ages.tolist()
    means = drawn.pixels.mean(axis=(1, 2))
    # in truth 15 brighter at 75 than at 45
    assert means[ages == 75].mean() - means[ages == 45].mean() == pytest.approx(15, abs=5)
    left, right = drawn.pixels[:, :, :8].mean(), drawn.pixels[:, :, 8:].mean()
    assert right - left == pytest.approx(16, abs=4)


def test_lesions_of_the_ill_lie_where_they_do_in_patients(cohort: Cohort) -> None:
    model = _fitted(GaussianImages(), cohort(1500, masks=True), 10.0)
    drawn = model.sample(400, rng=np.random.default_rng(0))
    assert drawn.masks is not None
    ill = (drawn.rows["finding"] == "ill").to_numpy()
    marked = np.asarray(drawn.masks.any(axis=(1, 2)))
    assert marked[ill].mean() > 0.95
    assert marked[~ill].mean() < 0.05
    down, right = np.argwhere(drawn.masks[ill].mean(axis=0) > 0.5).mean(axis=0)
    assert (down, right) == pytest.approx((10.5, 10.5), abs=1.5)
    inside = drawn.masks[ill & marked] > 0
    contrast = drawn.pixels[ill & marked][inside].mean() - drawn.pixels[ill & marked][~inside].mean()
    assert contrast > 15


def test_repeated_slices_of_a_patient_weigh_no_more(cohort: Cohort) -> None:
    table, schema = cohort(60)
    again = table.rows.with_columns((pl.col("slice") + 1).cast(pl.Int32))
    doubled = replace(table, rows=pl.concat([table.rows, again]), pixels=np.concatenate([table.pixels] * 2))
    one, two = (_fitted(GaussianImages(), (t, schema), None) for t in (table, doubled))
    for a, b in zip(one.family.moments_, two.family.moments_, strict=True):  # type: ignore[attr-defined]
        assert a.mean == pytest.approx(b.mean, abs=0.02)
        assert a.count == pytest.approx(b.count, abs=0.01)
    assert one.privacy_.rho is None


def test_where_no_patients_are_known_the_unit_is_the_image(cohort: Cohort) -> None:
    table, schema = cohort(30, slices=4)
    schema = schema.model_copy(update={"privacy_unit": PrivacyUnit.IMAGE})
    model = _fitted(GaussianImages(), (table, schema), 10.0)
    assert model.privacy_.neighbouring == "add or remove one image"
    assert abs(model.total_ - 120) < 20


def test_a_label_alone_is_enough(cohort: Cohort) -> None:
    table, schema = cohort(200)
    alone = schema.model_copy(update={"table": schema.table.select(["finding"])})
    bare = replace(table, rows=table.rows.drop("age"))
    drawn = _fitted(GaussianImages(), (bare, alone), 5.0).sample(500, rng=np.random.default_rng(0))
    assert (drawn.rows["finding"] == "ill").sum() == pytest.approx(
        500 * (bare.rows["finding"] == "ill").sum() / 200, abs=40
    )


def test_classes_that_noise_drowns_are_named(cohort: Cohort) -> None:
    assert "ill" in _fitted(GaussianImages(), cohort(60), 0.5).warning_
    assert _fitted(GaussianImages(), cohort(1500), 10.0).warning_ == ""


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(cohort: Cohort, budget: float) -> None:
    with pytest.raises(ParameterError, match="budget must be positive"):
        build("auto", delta=DELTA).fit(*cohort(30), budget=budget, rng=np.random.default_rng(0))


def test_images_that_do_not_fit_are_refused(cohort: Cohort) -> None:
    table, schema = cohort(30)
    model: ImageSynthesizer = build("auto", delta=DELTA, secure=False)
    rng = np.random.default_rng(0)
    with pytest.raises(TableError, match=r"size must be \(8, 8\)"):
        model.fit(table, schema.model_copy(update={"size": (8, 8)}), budget=1.0, rng=rng)
    one_class = table.select((table.rows["finding"] == "ill").to_numpy())
    with pytest.raises(TableError, match="two levels present"):
        model.fit(one_class, schema, budget=1.0, rng=rng)
    few = cohort(9, seed=3)
    with pytest.raises(ParameterError, match="at least 10 patients"):
        model.fit(*few, budget=1.0, rng=rng)
    several, marked = cohort(30, masks=True)
    with pytest.raises(ParameterError, match="one kind of lesion"):
        model.fit(several, marked.model_copy(update={"mask": {0: "a", 1: "b", 2: "c"}}), budget=1.0, rng=rng)


def test_wrong_wishes_are_refused(cohort: Cohort) -> None:
    model = _fitted(GaussianImages(), cohort(100), 5.0)
    rng = np.random.default_rng(0)
    with pytest.raises(ParameterError, match="n must be at least 1"):
        model.sample(0, rng=rng)
    with pytest.raises(ParameterError, match="given must hold columns"):
        model.sample(3, rng=rng, given=pl.DataFrame({"weight": [70.0]}))
    with pytest.raises(TableError):
        model.sample(3, rng=rng, given=pl.DataFrame({"finding": ["dead"]}))
    with pytest.raises(ParameterError, match="image synthesizer must be one of auto, gaussian"):
        build("best", delta=DELTA)
    assert NAMES[0] == "auto"


def test_patients_without_a_label_get_an_image_of_some_class(cohort: Cohort) -> None:
    table, schema = cohort(400)
    finding, age = schema.table.columns
    unknown = schema.table.model_copy(update={"columns": (finding.model_copy(update={"missing": True}), age)})
    rows = table.rows.with_columns(pl.when(pl.col("age") < 60).then(pl.col("finding")).alias("finding"))
    model = _fitted(GaussianImages(), (replace(table, rows=rows), schema.model_copy(update={"table": unknown})), 10.0)
    asked: list[np.ndarray] = []
    draw = model.family.draw
    model.family.draw = lambda level, columns, rng: asked.append(level) or draw(level, columns, rng)  # type: ignore[method-assign]
    made = model.sample(200, rng=np.random.default_rng(0))
    assert made.rows["finding"].null_count() > 20
    assert set(np.concatenate(asked)) == {0, 1}
