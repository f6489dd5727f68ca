"""Federated training against pooled training in torch; noise of the stated spread and cost; nothing of few patients."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from federation.models.learner import LearningTask
from federation.models.training import SENSITIVITY, UNITS, training
from federation.noise import Drawers, gaussian_rho
from federation.site import TableSite
from records.errors import BudgetError, ParameterError
from records.schema import Outcome
from tests.federation.models.networks import learning, pooled_learner, training_sites
from tests.federation.parties import a_job, computed, hospitals, quiet_steps, together

PLAIN, POOLED, SCHEMA = hospitals("lung", "support2_lung")
SITES = training_sites(PLAIN, SCHEMA)
NUMBERS = [c.name for c in SCHEMA.features()][:8]
COLUMNS = [*NUMBERS, "time", "event"]
HORIZON = {"horizon": 180}


def _task(hidden: int, columns: list[str] | None = None) -> LearningTask:
    schema = SCHEMA.select(columns or COLUMNS)
    covariates = tuple(c for c in schema.columns if c.name not in ("time", "event"))
    return LearningTask(schema, Outcome(name="outcome", label="outcome", horizon=180), covariates, hidden, 0)


@pytest.fixture(scope="module")
def trained() -> dict:
    return computed(training, SITES, a_job("training", COLUMNS, parameters={**HORIZON, "hidden": 8, "rounds": 30}))


def test_weights_are_those_of_pooled_training_in_torch(trained: dict):
    pooled = pooled_learner(SITES, _task(8))
    weights = torch.tensor(pooled.start(), requires_grad=True)
    optimiser, losses = torch.optim.Adam([weights], lr=0.05), []
    for _ in range(30):
        loss, gradient = pooled.loss_gradient(weights.detach().numpy())
        losses.append(loss / pooled.patients)
        weights.grad = torch.tensor(gradient) / pooled.patients
        optimiser.step()
    np.testing.assert_allclose(trained["weights"], weights.detach().numpy(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(trained["loss"], losses, atol=1e-6)
    assert trained["patients"] == pooled.patients
    assert trained["loss"][-1] < trained["loss"][0]
    assert trained["privacy"] is None


def test_the_evaluation_is_that_of_all_held_out_patients(trained: dict):
    risk, label = pooled_learner(SITES, _task(8)).risks(np.array(trained["weights"]))
    found = trained["evaluation"]
    assert (found["patients"], found["events"]) == (len(label), int(label.sum()))
    assert found["auc"] == pytest.approx(roc_auc_score(label, risk), abs=3e-3)
    assert found["brier"] == pytest.approx(brier_score_loss(label, risk), abs=1e-6)
    assert found["log_loss"] == pytest.approx(log_loss(label, risk), abs=1e-6)


def test_a_party_without_data_changes_nothing(trained: dict):
    sites = [*SITES, TableSite({}, learn=learning)]
    job = a_job("training", COLUMNS, parties=4, parameters={**HORIZON, "hidden": 8, "rounds": 30})
    found = computed(training, sites, job)
    np.testing.assert_allclose(found["weights"], trained["weights"], atol=1e-9)
    assert found["evaluation"] == trained["evaluation"]


def test_a_site_without_held_out_events_counts_with_its_others():
    quiet = SITES[0].table("ward", SCHEMA.names).filter((pl.col("event") == "0") | (pl.col("time") > 180))
    sites = [TableSite({"ward": (SCHEMA, quiet)}, learn=learning), *SITES[1:]]
    job = a_job("training", COLUMNS, parameters={**HORIZON, "hidden": 2, "rounds": 2})
    risk, label = pooled_learner(sites, _task(2)).risks(np.zeros(1 + 2 * (_inputs() + 2)))
    assert learning(quiet, _task(2)).risks(np.zeros(1 + 2 * (_inputs() + 2)))[1].sum() == 0
    assert computed(training, sites, job)["evaluation"]["patients"] == len(label) == len(risk)


def _inputs() -> int:
    return len(learning(SITES[0].table("ward", SCHEMA.names), _task(2)).architecture["inputs"])


def test_without_held_out_patients_there_is_no_evaluation():
    def all_learnt(table: pl.DataFrame, task: LearningTask):
        from tests.federation.models.networks import learner_of

        return learner_of(table, table.clear(), task)

    sites = [TableSite({"ward": (SCHEMA, s.table("ward", SCHEMA.names))}, learn=all_learnt) for s in SITES]
    job = a_job("training", COLUMNS, parameters={**HORIZON, "hidden": 0, "rounds": 2})
    found = computed(training, sites, job)
    assert found["evaluation"] is None
    assert found["suppressed"][0]["what"].startswith("the evaluation")


def test_too_few_patients_open_nothing():
    found = computed(training, SITES, a_job("training", COLUMNS, minimum_count=10**6, parameters=HORIZON))
    assert found["weights"] is None
    assert found["suppressed"] == [{"what": "the model", "why": "fewer than 1000000 patients"}]


@pytest.mark.parametrize("collusion", [0, 1])
def test_noise_has_the_stated_spread(collusion: int, monkeypatch: pytest.MonkeyPatch):
    """What is opened beyond the exact sum of cut gradients, at one place of weights over a few rounds."""
    from federation.models import training as module

    seen = []

    class Still:
        def __init__(self, size: int, rate: float) -> None:
            pass

        def stepped(self, weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
            seen.append(gradient)
            return weights

    monkeypatch.setattr(module, "Adam", Still)
    parameters = {**HORIZON, "hidden": 8, "rounds": 8, "clip": 0.5}
    found = computed(training, SITES, a_job("training", COLUMNS, rho=2.0, collusion=collusion, parameters=parameters))
    learners = [learning(site.table("ward", SCHEMA.names), _task(8)) for site in SITES]
    exact = np.sum([one.clipped(one.start(), 0.5, UNITS) for one in learners], axis=0) * (0.5 / UNITS)
    noise = np.concatenate([gradient - exact for gradient in seen[::3]])
    sd = 0.5 * SENSITIVITY / UNITS * math.sqrt(8 / (2 * 2.0)) * math.sqrt(3 / (3 - collusion))
    assert noise.std() == pytest.approx(sd, rel=5 / math.sqrt(2 * noise.size))
    assert abs(noise.mean()) < 5 * sd / math.sqrt(noise.size)
    assert found["privacy"]["sd"] == pytest.approx(sd)
    assert found["privacy"]["rho"] == pytest.approx(2.0)
    assert found["patients"] is found["loss"] is None


def test_cost_falls_with_the_square_of_the_sensitivity():
    for parties in (3, 8):
        drawers = Drawers(parties, 1)
        assert gaussian_rho(3e6, 100, drawers, 1e5) == pytest.approx(gaussian_rho(30, 100, drawers), rel=1e-6)
        assert gaussian_rho(0.5, 9, drawers, 2.0) > gaussian_rho(0.5, 9, drawers)


def test_rounds_cost_the_declared_rho_and_not_more():
    """A party whose log allows less than the program takes ends the job before the sum is opened."""
    job = a_job("training", COLUMNS, rho=1.0, parameters={**HORIZON, "hidden": 0, "rounds": 4})
    assert computed(training, SITES, job)["privacy"]["rho"] == pytest.approx(1.0)
    poorer = job.model_copy(update={"rho": 0.6})

    async def at(rt):
        return await training(rt, SITES[rt.index], job, quiet_steps(poorer, rt))

    with pytest.raises(BudgetError, match="at most the job's rho"):
        together(at)


def test_noisy_evaluation_is_near_the_exact_one():
    job = a_job("training", COLUMNS, rho=50.0, parameters={**HORIZON, "hidden": 0, "rounds": 10, "clip": 2.0})
    found = computed(training, SITES, job)
    risk, label = pooled_learner(SITES, _task(0)).risks(np.array(found["weights"]))
    assert found["evaluation"]["auc"] == pytest.approx(roc_auc_score(label, risk), abs=0.05)
    assert found["evaluation"]["brier"] == pytest.approx(brier_score_loss(label, risk), abs=0.05)
    assert found["evaluation"]["patients"] == pytest.approx(len(label), abs=15)


@pytest.mark.parametrize(
    ("columns", "parameters", "words"),
    [
        (COLUMNS, {**HORIZON, "rounds": 0}, "rounds must be a whole number from 1 to 1000"),
        (COLUMNS, {**HORIZON, "hidden": 2.5}, "hidden must be a whole number"),
        (COLUMNS, {**HORIZON, "rate": 0}, "rate must be above 0"),
        (COLUMNS, {**HORIZON, "prior": 1}, "prior must be above 0"),
        (COLUMNS, {**HORIZON, "clip": 1.0}, "clip must be for a job with a rho"),
        (["time", "event"], HORIZON, "must have covariates"),
        (NUMBERS, HORIZON, "the outcome must be"),
        ([*COLUMNS, "patient_id"], HORIZON, "must hold levels or numbers"),
    ],
)
def test_bad_questions_are_refused(columns, parameters, words):
    with pytest.raises(ParameterError, match=words):
        computed(training, SITES, a_job("training", columns, parameters=parameters))


def test_risks_start_at_the_expected_share():
    parameters = {**HORIZON, "hidden": 4, "rounds": 1, "rate": 1e-9, "prior": 0.2}
    found = computed(training, SITES, a_job("training", COLUMNS, parameters=parameters))
    assert found["weights"][-1] == pytest.approx(np.log(0.25), abs=1e-6)


def test_a_site_that_cannot_train_is_told():
    with pytest.raises(ParameterError, match="able to train networks"):
        computed(training, PLAIN, a_job("training", COLUMNS, parameters=HORIZON))
