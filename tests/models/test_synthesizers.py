"""Every sampled row fits its codebook, spends add up, and answers can be taken up again."""

import numpy as np
import polars as pl
import pytest

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from models.accounting import epsilon_to_rho
from models.marginals import MarginalSynthesizer, rounded
from models.registry import build
from records.errors import ParameterError
from records.schema import Schema
from records.validation import validate
from use_cases.registry import discover

COHORTS = {c.name: c for u in discover().values() for c in u.cohorts if c.source.bundled}


def learnt_from(name: str) -> tuple[pl.DataFrame, Schema]:
    cohort = COHORTS[name]
    schema = released_schema(cohort.table)
    return deidentify(cohort.load(), cohort.table, key=b"k" * 32, k=5).frame.select(schema.names), schema


@pytest.mark.parametrize("cohort", COHORTS)
@pytest.mark.parametrize(("synthesizer", "epsilon"), [("marginals", 0.5), ("marginals", None), ("copula", None)])
def test_rows_fit_the_codebook(cohort: str, synthesizer: str, epsilon: float | None) -> None:
    table, schema = learnt_from(cohort)
    rng = np.random.default_rng(3)
    budget = epsilon_to_rho(epsilon, 1e-5) if epsilon else None
    model = build(synthesizer, delta=1e-5).fit(table, schema, budget=budget, rng=rng)
    made = model.sample(400, rng=rng)
    assert made.height == 400
    assert validate(made, schema, source="synthetic").equals(made)


def test_spend_covers_every_query_and_never_exceeds_the_budget() -> None:
    table, schema = learnt_from("copenhagen")
    rho = epsilon_to_rho(1, 1e-5)
    spend = MarginalSynthesizer().fit(table, schema, budget=rho, rng=np.random.default_rng(0)).privacy_
    assert spend.rho == sum(m.rho for m in spend.mechanisms) == rho
    assert spend.epsilon is not None
    assert spend.epsilon <= 1
    (mechanism,) = spend.mechanisms
    assert mechanism.queries / (2 * mechanism.sigma**2) == pytest.approx(rho)  # type: ignore[operator]


def test_seeded_runs_agree_and_unseeded_noise_differs() -> None:
    table, schema = learnt_from("copenhagen")

    def once(noise_seed: int | None) -> pl.DataFrame:
        model = MarginalSynthesizer(noise_seed=noise_seed)
        return model.fit(table, schema, budget=0.1, rng=np.random.default_rng(0)).sample(rng=np.random.default_rng(0))

    assert once(1).equals(once(1))
    assert not once(None).equals(once(None))


def test_one_patient_changes_one_cell_of_each_marginal_by_one() -> None:
    table, schema = learnt_from("copenhagen")
    rng = np.random.default_rng(0)
    with_all = MarginalSynthesizer().fit(table, schema, budget=None, rng=rng).measurements_
    without = MarginalSynthesizer().fit(table[1:], schema, budget=None, rng=rng).measurements_
    for name, counts in with_all.items():
        assert np.abs(counts - without[name]).sum() == 1


def test_rounded_keeps_expectation_and_sum() -> None:
    rng = np.random.default_rng(0)
    expected = np.array([0.2, 1.5, 3.3])
    draws = np.array([rounded(expected, 5, rng) for _ in range(4000)])
    assert (draws.sum(axis=1) == 5).all()
    assert draws.mean(axis=0) == pytest.approx(expected, abs=0.05)


def test_bad_budget() -> None:
    table, schema = learnt_from("copenhagen")
    with pytest.raises(ParameterError, match="budget must be positive"):
        MarginalSynthesizer().fit(table, schema, budget=-1.0, rng=np.random.default_rng(0))
