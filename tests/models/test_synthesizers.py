"""Every sampled row fits its codebook, spends add up, and answers can be taken up again."""

import numpy as np
import polars as pl
import pytest
from dp_accounting import GaussianDpEvent, ZCDpEvent
from dp_accounting.rdp import RdpAccountant

from models.description import described
from models.graphical_synthesizer import GraphicalSynthesizer
from models.registry import build
from records.accounting import epsilon_to_rho
from records.errors import ParameterError, TableError
from records.validation import validate
from tests.models.bundled import COHORTS, learnt_from

ASKED = [(cohort, *asked) for cohort in COHORTS for asked in (("auto", 0.5), ("mst", 1), ("copula", None))]
SLOWER = [("support2_lung", "aim", 3), ("copenhagen", "auto", None)]


@pytest.mark.slow
@pytest.mark.parametrize(("cohort", "synthesizer", "epsilon"), [*ASKED, *SLOWER])
def test_rows_fit_the_codebook(cohort: str, synthesizer: str, epsilon: float | None) -> None:
    table, schema = learnt_from(cohort)
    rng = np.random.default_rng(3)
    budget = epsilon_to_rho(epsilon, 1e-5) if epsilon else None
    model = build(synthesizer, delta=1e-5).fit(table, schema, budget=budget, rng=rng)
    made = model.sample(400, rng=rng)
    assert made.height == 400
    assert validate(made, schema, source="synthetic").equals(made)


@pytest.mark.parametrize("selection", ["star", "mst", "aim"])
def test_spend_covers_every_mechanism_and_never_exceeds_the_budget(selection: str) -> None:
    """The noise scales alone give the epsilon back, by an accountant that is not ours."""
    table, schema = learnt_from("copenhagen")
    rho = epsilon_to_rho(1, 1e-5)
    model = GraphicalSynthesizer(selection=selection, secure=False)
    spend = model.fit(table, schema, budget=rho, rng=np.random.default_rng(0)).privacy_
    assert spend.rho is not None
    assert sum(m.rho for m in spend.mechanisms) == pytest.approx(spend.rho)
    assert spend.rho <= rho
    assert sum(m.queries for m in spend.mechanisms if m.sigma) == len(model.measurements_)
    orders = np.concatenate([np.arange(1.25, 64, 0.25), np.arange(64, 1025)]).tolist()
    accountant = RdpAccountant(orders)
    for m in model.measurements_:
        accountant.compose(GaussianDpEvent(m.sigma))
    chosen = sum(m.rho for m in spend.mechanisms if m.name == "exponential")
    accountant.compose(ZCDpEvent(chosen)) if chosen else None
    assert spend.epsilon is not None
    assert accountant.get_epsilon(1e-5) <= spend.epsilon * 1.001 <= 1.001


@pytest.mark.slow
@pytest.mark.parametrize("selection", ["star", "mst", "aim"])
def test_seeded_runs_agree_and_secure_noise_differs(selection: str) -> None:
    table, schema = learnt_from("copenhagen")

    def once(secure: bool) -> pl.DataFrame:
        rng = np.random.default_rng(0)
        model = GraphicalSynthesizer(selection=selection, secure=secure)
        return model.fit(table, schema, budget=0.1, rng=rng).sample(rng=rng)

    assert once(False).equals(once(False))
    assert not once(True).equals(once(True))


@pytest.mark.slow
@pytest.mark.parametrize(("synthesizer", "budget", "most"), [("aim", 50.0, 0.06), ("copula", None, 0.12)])
def test_given_holds_in_every_row_and_moves_the_others(synthesizer: str, budget: float | None, most: float) -> None:
    table, schema = learnt_from("byar_greene")
    rng = np.random.default_rng(0)
    model = build(synthesizer, delta=1e-5).fit(table, schema, budget=budget, rng=rng)
    spread, none = (model.sample(2000, rng=rng, given=pl.DataFrame({"bone_metastasis": [v]})) for v in ("1", "0"))
    assert (spread["bone_metastasis"] == "1").all()
    real = table.group_by("bone_metastasis").agg((pl.col("event") == "1").mean()).sort("bone_metastasis")
    made = [(frame["event"] == "1").mean() for frame in (none, spread)]
    assert made == pytest.approx(real["event"].to_list(), abs=most)
    rows = model.sample(rng=rng, given=table.select("age", "event")[:7])
    assert rows.select("age", "event").equals(table.select("age", "event")[:7])


def test_given_outside_the_schema_is_refused() -> None:
    table, schema = learnt_from("copenhagen")
    rng = np.random.default_rng(0)
    model = GraphicalSynthesizer(secure=False).fit(table, schema, budget=0.1, rng=rng)
    with pytest.raises(ParameterError, match="given must hold columns of copenhagen, got height"):
        model.sample(3, rng=rng, given=pl.DataFrame({"height": [1]}))
    with pytest.raises(TableError, match="age"):
        model.sample(3, rng=rng, given=pl.DataFrame({"age": [400]}))
    with pytest.raises(ParameterError, match="given must have one row or 3, got 2"):
        model.sample(3, rng=rng, given=pl.DataFrame({"age": [50, 60]}))


@pytest.mark.parametrize("budget", [-1.0, 0.0, float("inf")])
def test_bad_budget(budget: float) -> None:
    table, schema = learnt_from("copenhagen")
    with pytest.raises(ParameterError, match="budget must be positive"):
        GraphicalSynthesizer().fit(table, schema, budget=budget, rng=np.random.default_rng(0))


def test_unknown_names() -> None:
    table, schema = learnt_from("copenhagen")
    with pytest.raises(ParameterError, match="selection must be one of auto, aim, mst, star, declared, got best"):
        GraphicalSynthesizer(selection="best").fit(table, schema, budget=1.0, rng=np.random.default_rng(0))
    with pytest.raises(ParameterError, match="synthesizer must be one of"):
        build("best", delta=1e-5)


def test_fewer_patients_than_columns_constant_and_empty_columns() -> None:
    """Noise decides then, but rows still fit the codebook, and the model says what to expect."""
    table, schema = learnt_from("support2_lung")
    column = next(c.name for c in schema.columns if c.missing)
    few = table[:5].with_columns(pl.lit(None, dtype=schema[column].dtype).alias(column))
    rng = np.random.default_rng(0)
    model = GraphicalSynthesizer(secure=False).fit(few, schema, budget=0.01, rng=rng)
    made = model.sample(100, rng=rng)
    assert validate(made, schema, source="synthetic").equals(made)
    assert "raise epsilon" in described(model)["warning"]


def test_without_an_outcome_auto_adapts_longer_and_says_when_columns_are_independent() -> None:
    table, schema = learnt_from("copenhagen")
    bare = schema.model_copy(update={"outcomes": ()})

    def fitted(rho: float) -> GraphicalSynthesizer:
        return GraphicalSynthesizer(secure=False).fit(table, bare, budget=rho, rng=np.random.default_rng(0))

    adapted, drowned = fitted(0.03), fitted(0.001)
    assert 0.05 < adapted.expected_error_ <= 0.1
    assert any(len(m.attributes) > 1 for m in adapted.measurements_)
    assert "warning" not in described(adapted)
    assert "covariates are drawn independently; name an outcome" in described(drowned)["warning"]
