"""Training over hospitals: what is opened is the pooled sum, noise has the stated spread and cost."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.mesh import local_meshes
from federation.models.averaging import Evaluation, Update, averaging
from federation.runtime import Runtime
from federation.site import TableSite
from records.errors import BudgetError, ParameterError
from records.schema import Schema
from tests.federation.parties import a_job, hospitals

PLAIN, WHOLE, SCHEMA = hospitals("lung", "ncctg_lung")
COLUMNS = ["age", "sex", "karnofsky"]
POOLED = WHOLE.select(COLUMNS)


class Logistic:
    """A plain model: sex from age and performance, by logistic loss."""

    @staticmethod
    def data(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        known = table.drop_nulls()
        x = known.select((pl.col("age") - 62) / 10, (pl.col("karnofsky") - 80) / 10).to_numpy()
        return np.column_stack([np.ones(len(x)), x]), (known["sex"] == "male").to_numpy().astype(float)

    @staticmethod
    def gradient_rows(table: pl.DataFrame, weights: np.ndarray) -> np.ndarray:
        x, y = Logistic.data(table)
        return x * (1 / (1 + np.exp(-x @ weights)) - y)[:, None]

    def update(self, table: pl.DataFrame, schema: Schema, weights: np.ndarray, options: Mapping[str, Any]) -> Update:
        rows = self.gradient_rows(table, weights)
        return Update(-options["rate"] * rows.sum(axis=0), len(rows))

    def gradients(self, table: pl.DataFrame, schema: Schema, weights: np.ndarray, clip: float) -> Update:
        rows = self.gradient_rows(table, weights)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return Update((rows * np.minimum(1, clip / norms)).sum(axis=0), len(rows))

    def evaluated(self, table: pl.DataFrame, schema: Schema, weights: np.ndarray) -> Evaluation:
        x, y = self.data(table)
        chance = 1 / (1 + np.exp(-x @ weights))
        loss = -np.log(np.where(y == 1, chance, 1 - chance)).sum()
        return Evaluation(len(y), int(((chance > 0.5) == y).sum()), float(loss))


class TrainingTableSite(TableSite):
    def trainer(self, name: str) -> Logistic:
        if name != "logistic":
            raise ParameterError(f"the model must be logistic, got {name}; choose it")
        return Logistic()


SITES = [TrainingTableSite({"ward": (SCHEMA, site.table("ward", SCHEMA.names))}) for site in PLAIN]


def _job(**given: Any) -> Job:
    parameters = given.pop("parameters", {"model": "logistic"})
    return a_job("averaging", COLUMNS, parameters=parameters, **given)


def _session(
    job: Job, requests: Sequence[Mapping[str, Any]], sites: Sequence[TableSite] = SITES
) -> tuple[list[Any], dict]:
    """The answers to ``requests``, the same at all parties, and the result."""
    answers: list[list[Any]] = [[] for _ in sites]

    async def party(rt: Runtime) -> dict[str, Any]:
        queue: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        for request in [*requests, None]:
            queue.put_nowait(request)

        async def told(number: int, value: Any) -> None:
            answers[rt.index].append(value)

        return await averaging(rt, sites[rt.index], job, Steps(job, rt, queue, told))

    async def everybody() -> list[dict[str, Any]]:
        return await asyncio.gather(*(party(Runtime(mesh, 1)) for mesh in local_meshes(len(sites))))

    results = asyncio.run(everybody())
    for other in answers[1:]:
        np.testing.assert_equal(other, answers[0])
    return answers[0], results[0]


def test_updates_are_the_pooled_average():
    weights = np.array([0.1, -0.2, 0.3])
    answers, result = _session(_job(), [{"ask": "update", "weights": weights, "rate": 0.5}])
    pooled = Logistic.gradient_rows(POOLED, weights)
    np.testing.assert_allclose(answers[0]["update"], -0.5 * pooled.mean(axis=0), atol=1e-7)
    assert answers[0]["patients"] == len(pooled)
    assert (result["steps"], result["rho"]) == (1, None)


def test_training_reaches_the_pooled_optimum():
    weights = np.zeros(3)
    for _ in range(8):
        requests = [{"ask": "update", "weights": weights, "rate": 1.0}]
        weights = weights + _session(_job(), requests)[0][0]["update"]
    plain = np.zeros(3)
    for _ in range(8):
        plain -= Logistic.gradient_rows(POOLED, plain).mean(axis=0)
    np.testing.assert_allclose(weights, plain, atol=1e-6)


def test_evaluation_is_given_for_each_site_with_enough_patients():
    weights = np.array([0.4, 0.0, 0.0])
    smallest = min(len(Logistic.data(site.table("ward", COLUMNS))[1]) for site in SITES)
    answers, result = _session(_job(minimum_count=smallest + 1), [{"ask": "evaluate", "weights": weights}] * 2)
    for site, found in zip(SITES, answers[0]["sites"], strict=True):
        expected = Logistic().evaluated(site.table("ward", COLUMNS), SCHEMA, weights)
        if expected.patients > smallest:
            assert found["accuracy"] == pytest.approx(expected.right / expected.patients)
            assert found["loss"] == pytest.approx(expected.loss / expected.patients, abs=1e-6)
        else:
            assert found["patients"] is found["accuracy"] is found["loss"] is None
    assert len(result["suppressed"]) == 1


@pytest.mark.parametrize("collusion", [0, 1])
def test_noisy_gradients_have_the_stated_spread_and_cost(collusion: int):
    weights, clip, multiplier, draws = np.zeros(3), 0.5, 2.0, 150
    job = _job(rho=draws / 8, collusion=collusion)
    request = {"ask": "update", "weights": weights, "clip": clip, "multiplier": multiplier}
    answers, result = _session(job, [request] * draws)
    exact = Logistic().gradients(POOLED, SCHEMA, weights, clip).total
    noise = np.concatenate([a["gradient"] - exact for a in answers])
    sd = multiplier * clip * math.sqrt(3 / (3 - collusion))
    assert noise.std() == pytest.approx(sd, rel=5 / math.sqrt(2 * noise.size))
    assert abs(noise.mean()) < 5 * sd / math.sqrt(noise.size)
    assert result["rho"] == pytest.approx(draws / 8)


def test_steps_beyond_the_declared_rho_are_refused():
    request = {"ask": "update", "weights": np.zeros(3), "clip": 1.0, "multiplier": 1.0}
    with pytest.raises(BudgetError, match="at most the job's rho"):
        _session(_job(rho=0.9), [request] * 2)


def test_too_few_patients_open_nothing():
    answers, result = _session(_job(minimum_count=1000), [{"ask": "update", "weights": np.zeros(3), "rate": 1.0}])
    assert answers[0] == {"patients": None, "update": None}
    assert result["suppressed"] == [{"what": "the update", "why": "fewer than 1000 patients"}]


@pytest.mark.parametrize(
    ("request_", "given", "words"),
    [
        ({"ask": "weights", "weights": np.zeros(3)}, {}, "a step must ask for update or evaluate"),
        ({"ask": "update"}, {}, "weights must be one flat array"),
        ({"ask": "update", "weights": np.zeros((2, 2))}, {}, "weights must be one flat array"),
        (
            {"ask": "update", "weights": np.zeros(3), "clip": -1.0, "multiplier": 1.0},
            {"rho": 1.0},
            "clip must be positive",
        ),
        ({"ask": "update", "weights": np.zeros(3)}, {"parameters": {"model": "forest"}}, "the model must be logistic"),
    ],
)
def test_bad_steps_are_refused(request_, given, words):
    with pytest.raises(ParameterError, match=words):
        _session(_job(**given), [request_])


def test_a_site_without_models_is_told():
    with pytest.raises(ParameterError, match="a site that trains models"):
        _session(_job(), [], PLAIN)
