"""The contract of image synthesizers, failures, and what is learnt."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from models.images.diffusion import DiffusionSynthesizer, Settings, plain, private, synthesizer
from models.images.diffusion.settings import device_for
from models.images.registry import build
from records.accounting import epsilon_to_rho
from records.errors import ParameterError, PhaseIVError, TableError
from records.images import PATIENT, PrivacyUnit, validate_images
from tests.models.images.diffusion.small_cohorts import QUICK, lesions

pytestmark = pytest.mark.slow


def fit(budget: float | None, **changes: Any) -> DiffusionSynthesizer:
    table, schema = lesions()
    given = {"settings": QUICK, "device": "cpu", "drawing_steps": 4} | changes
    return DiffusionSynthesizer(**given).fit(table, schema, budget=budget, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def learnt() -> DiffusionSynthesizer:
    return fit(epsilon_to_rho(10, 1e-5))


def test_drawn_images_fit_the_codebook(learnt: DiffusionSynthesizer) -> None:
    made = learnt.sample(30, rng=np.random.default_rng(0))
    assert validate_images(made, learnt.schema_, source="made").rows.equals(made.rows)
    assert len(made.patients) == 30
    assert made.phantom
    assert len(learnt.sample(rng=np.random.default_rng(0))) == learnt.total_


def test_drawn_images_carry_what_is_given(learnt: DiffusionSynthesizer) -> None:
    rng = np.random.default_rng(0)
    one = learnt.sample(6, rng=rng, given=pl.DataFrame({"malignancy": ["benign"]}))
    assert (one.rows["malignancy"] == "benign").all()
    each = learnt.sample(
        rng=rng, given=pl.DataFrame({"malignancy": ["none", "benign", "malignant"], "age": [50, 60, 70]})
    )
    assert each.rows["age"].to_list() == [50, 60, 70]
    with pytest.raises(ParameterError, match="given must hold columns"):
        learnt.sample(3, rng=rng, given=pl.DataFrame({"height": [1]}))
    with pytest.raises(ParameterError, match="n must be at least 1"):
        learnt.sample(0, rng=rng)


def test_seeds(learnt: DiffusionSynthesizer) -> None:
    first, again = (learnt.sample(4, rng=np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, learnt.sample(4, rng=np.random.default_rng(8)).pixels)


def test_a_private_fit_says_what_it_cost_and_that_it_is_not_for_release(learnt: DiffusionSynthesizer) -> None:
    spend = learnt.privacy_
    assert spend.private
    assert spend.rho == epsilon_to_rho(10, 1e-5)
    assert spend.rho == pytest.approx(sum(one.rho for one in spend.mechanisms))
    assert 0 < (spend.epsilon or 0) <= 10
    assert not spend.secure
    assert spend.neighbouring == "add or remove one patient"


def test_where_no_patient_is_known_the_unit_is_the_image() -> None:
    table, schema = lesions()
    schema = schema.model_copy(update={"privacy_unit": PrivacyUnit.IMAGE})
    model = DiffusionSynthesizer(settings=QUICK, device="cpu")
    model.fit(table, schema, budget=5.0, rng=np.random.default_rng(0))
    assert abs(model.total_ - 160) < 20
    assert model.privacy_.neighbouring == "add or remove one image"


@pytest.mark.parametrize("budget", [None, 5.0])
def test_a_label_is_enough(budget: float | None) -> None:
    """Cohorts without clinical columns."""
    table, schema = lesions()
    schema = schema.model_copy(update={"table": schema.table.select(["malignancy"])})
    alone = replace(table, rows=table.rows.drop("age", "nodule_diameter"))
    model = DiffusionSynthesizer(settings=QUICK, device="cpu", drawing_steps=2)
    model.fit(alone, schema, budget=budget, rng=np.random.default_rng(0))
    made = model.sample(400, rng=np.random.default_rng(0))
    validate_images(made, schema, source="made")
    shares = [
        one.rows["malignancy"].value_counts(normalize=True).sort("malignancy")["proportion"] for one in (alone, made)
    ]
    assert np.abs(shares[0].to_numpy() - shares[1].to_numpy()).max() < 0.15
    if budget is not None:
        assert sum(one.rho for one in model.privacy_.mechanisms) == pytest.approx(budget)


def test_rows_are_of_one_slice_of_each_patient() -> None:
    table, schema = lesions(60, slices=3)
    rows = synthesizer._one_slice_each(table, schema, np.random.default_rng(0))
    assert rows.columns == schema.table.names
    assert rows.height == table.rows[PATIENT].n_unique()


def test_progress_is_told() -> None:
    told: list[float] = []
    fit(5.0, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_training_that_does_not_learn_is_told_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    table, schema = lesions()
    slow = Settings(width=8, grid=8, plain_steps=50, learning_rate=1e-12)
    model = DiffusionSynthesizer(settings=slow, device="cpu")
    with pytest.raises(PhaseIVError, match=r"must lower the loss of held-back patients, got \d\.\d{3}, "):
        model.fit(table, schema, budget=None, rng=np.random.default_rng(0))
    monkeypatch.setattr(plain, "_judged", lambda *_: math.nan)
    with pytest.raises(PhaseIVError, match="the loss must stay finite, got nan"):
        model.fit(table, schema, budget=None, rng=np.random.default_rng(0))
    monkeypatch.setattr(private, "summed", lambda network, *_: {n: w * math.nan for n, w in network.named_parameters()})
    with pytest.raises(PhaseIVError, match="weights must stay finite, got others at step 1"):
        DiffusionSynthesizer(settings=QUICK, device="cpu").fit(table, schema, budget=5.0, rng=np.random.default_rng(0))
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 12}, "multiple of 8"), ({"steps": 0}, "steps must be positive"), ({"sampling_rate": 0.9}, "0 to 0.5"),
        ({"learning_rate": 0.0}, "learning_rate"), ({"clipping_norm": math.nan}, "clipping_norm"),
        ({"central_images": -1}, "must not be negative"),
    ],
)  # fmt: skip
def test_bad_settings(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Settings(**changes)


def test_bad_parameters() -> None:
    with pytest.raises(ParameterError, match="budget must be positive or none"):
        fit(-1.0)
    with pytest.raises(ParameterError, match="drawing_steps and keep_every"):
        fit(1.0, drawing_steps=0)
    with pytest.raises(ParameterError, match="device must be one of"):
        fit(1.0, device="tpu")
    table, schema = lesions(20)
    for budget in (None, 5.0):
        with pytest.raises(PhaseIVError, match="number of patients must be at least 50"):
            DiffusionSynthesizer(settings=QUICK).fit(table, schema, budget=budget, rng=np.random.default_rng(0))
    other = schema.model_copy(update={"size": (8, 8)})
    with pytest.raises(TableError, match="size must be"):
        DiffusionSynthesizer(settings=QUICK).fit(table, other, budget=5.0, rng=np.random.default_rng(0))


def test_the_device_is_the_fastest_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_for(None).type == "cuda"
    assert device_for("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device_for(None).type == "cpu"


def test_half_precision_learns_and_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on CUDA, tried in bfloat16 on the CPU: gradients by record, sums and images stay sound."""
    for module in (plain, private, synthesizer):
        monkeypatch.setattr(module, "mixed", lambda _: torch.autocast("cpu", dtype=torch.bfloat16))
    model = fit(5.0)
    assert all(weights.dtype == torch.float32 for weights in model.network_.parameters())
    assert np.isfinite(model.sample(4, rng=np.random.default_rng(0)).pixels).all()


def test_it_is_known_by_name() -> None:
    assert isinstance(build("diffusion", delta=1e-5), DiffusionSynthesizer)


@pytest.mark.parametrize(("budget", "nearer", "wider"), [(None, 0.25, 2.2), (epsilon_to_rho(10, 1e-5), 0.5, 2.6)])
def test_images_look_like_the_patients(budget: float | None, nearer: float, wider: float) -> None:
    """Phantoms of 250 patients at 16 x 16: drawn means are nearer to those of other patients than grey is."""
    table, schema = lesions(500, slices=1)
    half = np.arange(500) < 250
    other = table.select(~half).pixels
    settings = Settings(width=8, grid=8, steps=40, sampling_rate=0.2, plain_steps=250, warm_up_steps=150)
    model = DiffusionSynthesizer(settings=settings, device="cpu", drawing_steps=12)
    model.fit(table.select(half), schema, budget=budget, rng=np.random.default_rng(0))
    made = model.sample(150, rng=np.random.default_rng(1))
    apart = np.abs(made.pixels.mean(0) - other.mean(0)).mean()
    grey = np.abs(other.mean(0) - sum(schema.window) / 2).mean()
    assert apart < nearer * grey
    assert 0.3 < made.pixels.std(0).mean() / other.std(0).mean() < wider
    assert min(model.losses_) < 0.6 * model.losses_[0]
