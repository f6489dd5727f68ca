"""The transformer learns dependence, meets conditions, repeats by seed, and its noise proves what it says."""

import copy
import itertools
import math

import numpy as np
import polars as pl
import pytest
import torch
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from metrics.fidelity.total_variation import pair_distances, pair_shares
from models import dp_sgd
from models.autoregressive import TransformerSynthesizer
from models.description import described
from models.registry import build
from models.sampled_gaussian import planned
from models.training import trained
from models.transformer import HIDDEN, AttributeTransformer, hidden, started, surprise
from records.accounting import best_order, epsilon_to_rho, rho_to_epsilon
from records.discretisation import discrete_columns, encode, level_count
from records.errors import ParameterError, PhaseIVError, TableError
from records.schema import Schema
from records.validation import validate
from use_cases.registry import discover

COHORTS = {c.name: c for u in discover().values() for c in u.cohorts if c.source.bundled}
LEVELS = [2, 5, 3]
DELTA = 1e-5


def learnt_from(name: str) -> tuple[pl.DataFrame, Schema]:
    cohort = COHORTS[name]
    schema = released_schema(cohort.table)
    return deidentify(cohort.load(), cohort.table, key=b"k" * 32, k=5).frame.select(schema.names), schema


def fitted(name: str, epochs: int, *, budget: float | None = None, seed: int = 0) -> TransformerSynthesizer:
    table, schema = learnt_from(name)
    model = TransformerSynthesizer(epochs=epochs)
    return model.fit(table, schema, budget=budget, rng=np.random.default_rng(seed))


def mean_distance(one: pl.DataFrame, other: pl.DataFrame, schema: Schema) -> float:
    columns = discrete_columns(schema)
    levels = [level_count(c) for c in columns]
    first, second = (pair_shares(encode(frame, columns), levels) for frame in (one, other))
    return float(pair_distances(first, second, levels)[np.triu_indices(len(levels), 1)].mean())


def small_network(seed: int = 0) -> AttributeTransformer:
    draws = torch.Generator().manual_seed(seed)
    network = started(LEVELS, width=8, layers=1, heads=2, draws=draws)
    torch.nn.init.normal_(network.head.weight, generator=draws)
    return network


def patients(number: int) -> torch.Tensor:
    rng = np.random.default_rng(number)
    return torch.from_numpy(np.stack([rng.integers(k, size=number) for k in LEVELS], axis=1))


@pytest.fixture(scope="module")
def byar_greene() -> TransformerSynthesizer:
    return fitted("byar_greene", 30)


@pytest.mark.slow
def test_rows_fit_the_codebook_and_depend_on_each_other() -> None:
    """On held-out patients pairs are closer than columns drawn from the training patients independently."""
    table, schema = learnt_from("support2_lung")
    rng = np.random.default_rng(1)
    order, rows = rng.permutation(table.height), 5000
    learnt, held_out = table[order[table.height // 3 :]], table[order[: table.height // 3]]
    made = TransformerSynthesizer(epochs=40).fit(learnt, schema, budget=None, rng=rng).sample(rows, rng=rng)
    assert made.height == rows
    assert validate(made, schema, source="synthetic").equals(made)
    alone = learnt.select(pl.col(c).sample(rows, with_replacement=True, seed=i) for i, c in enumerate(learnt.columns))
    assert mean_distance(made, held_out, schema) < 0.97 * mean_distance(alone, held_out, schema)


@pytest.mark.slow
def test_a_seed_repeats_bit_for_bit_and_leaves_torchs_own_alone() -> None:
    before = torch.get_rng_state()
    for budget in (None, 0.5):
        first, second, other = (fitted("copenhagen", 2, budget=budget, seed=s) for s in (3, 3, 4))
        weights = [[p.detach() for p in m.network_.parameters()] for m in (first, second, other)]
        assert all(torch.equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
        assert not torch.equal(weights[0][0], weights[2][0])
        made = [m.sample(200, rng=np.random.default_rng(0)) for m in (first, second)]
        assert made[0].equals(made[1])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.slow
def test_given_holds_in_every_row_and_moves_the_others(byar_greene: TransformerSynthesizer) -> None:
    table, _ = learnt_from("byar_greene")
    rng = np.random.default_rng(0)
    made = [byar_greene.sample(1000, rng=rng, given=pl.DataFrame({"bone_metastasis": [v]})) for v in ("0", "1")]
    assert all((frame["bone_metastasis"] == v).all() for frame, v in zip(made, ("0", "1"), strict=True))
    real = table.group_by("bone_metastasis").agg((pl.col("event") == "1").mean()).sort("bone_metastasis")["event"]
    assert [(frame["event"] == "1").mean() for frame in made] == pytest.approx(real.to_list(), abs=0.08)
    rows = byar_greene.sample(rng=rng, given=table.select("age", "event")[:40])
    assert rows.select("age", "event").equals(table.select("age", "event")[:40])


@pytest.mark.slow
def test_one_of_time_and_event_conditions_the_other(byar_greene: TransformerSynthesizer) -> None:
    table, schema = learnt_from("byar_greene")
    assert schema.time is not None
    rng = np.random.default_rng(0)
    made = byar_greene.sample(3000, rng=rng, given=pl.DataFrame({"event": ["1"]}))
    assert (made["event"] == "1").all()
    real = table.filter(pl.col("event") == "1")
    levels = level_count(schema.time)
    shares = [np.bincount(encode(f, [schema.time])[:, 0], minlength=levels) / f.height for f in (made, real)]
    assert np.abs(shares[0] - shares[1]).sum() / 2 < 0.12
    early = table.select(schema.time.name)[:30]
    assert byar_greene.sample(rng=rng, given=early).select(schema.time.name).equals(early)


def test_the_network_knows_no_order_and_only_levels_that_exist() -> None:
    """What is hidden has no say: any code in its place gives the same weights."""
    network, codes = small_network(), patients(30)
    shown = hidden(codes, 2, torch.Generator().manual_seed(0))
    weights = network(shown)
    assert weights.shape == (30, 2, 3, 5)
    assert torch.isinf(weights).sum((0, 1)).tolist() == [[0, 0, 60, 60, 60], [0] * 5, [0, 0, 0, 60, 60]]
    assert torch.allclose(network(shown[:, [1, 0]])[:, [1, 0]], weights)
    counts = (shown == HIDDEN).sum(-1).unique().tolist()
    assert counts == [1, 2, 3]


def test_surprise_is_the_likelihood_of_hidden_levels() -> None:
    network, codes = small_network(), patients(4)
    shown = torch.tensor([[[HIDDEN, int(c[1]), HIDDEN]] for c in codes])
    weights = network(shown)[:, 0].log_softmax(-1)
    expected = [-(weights[i, 0, c[0]] + weights[i, 2, c[2]]) / 2 for i, c in enumerate(codes)]
    assert torch.allclose(surprise(network, codes, shown), torch.stack(expected))


@pytest.mark.slow
def test_constant_and_empty_columns_stay_so() -> None:
    table, schema = learnt_from("support2_lung")
    empty = next(c for c in schema.columns if c.missing)
    constant = next(c for c in schema.columns if c.levels and c is not schema.event and c.name != empty.name)
    level = table[constant.name].drop_nulls()[0]
    odd = table.with_columns(
        pl.lit(None, dtype=empty.dtype).alias(empty.name), pl.lit(level, dtype=constant.dtype).alias(constant.name)
    )
    rng = np.random.default_rng(0)
    made = TransformerSynthesizer(epochs=8).fit(odd, schema, budget=None, rng=rng).sample(500, rng=rng)
    assert made[empty.name].null_count() > 480
    assert (made[constant.name] == level).mean() > 0.96


def test_training_that_does_not_learn_is_told_and_nothing_is_kept() -> None:
    table, schema = learnt_from("copenhagen")
    model = TransformerSynthesizer(epochs=3, learning_rate=1e-12)
    with pytest.raises(PhaseIVError, match=r"must lower the loss of held-back patients, got \d\.\d{3}, "):
        model.fit(table, schema, budget=None, rng=np.random.default_rng(0))
    assert not [name for name in vars(model) if name.endswith("_")]
    broken = small_network()
    torch.nn.init.constant_(broken.head.bias, math.nan)
    with pytest.raises(PhaseIVError, match="the loss must stay finite, got nan"):
        trained(broken, patients(80), epochs=2, batch_size=8, learning_rate=0.01, draws=torch.Generator())


@pytest.mark.slow
def test_training_stops_when_held_back_patients_say_so() -> None:
    """Levels without any dependence: after the margins there is only noise to learn."""
    draws = torch.Generator().manual_seed(0)
    done = trained(small_network(), patients(200), epochs=200, batch_size=64, learning_rate=0.02, draws=draws)
    assert done.epochs < 200
    assert done.epochs == len(done.losses) - 1
    assert done.losses.index(min(done.losses)) == done.epochs - 10


@pytest.mark.parametrize(
    ("settings", "budget", "words"),
    [
        ({}, 0.0, "budget must be positive or none"), ({}, -1.0, "budget must be positive or none"),
        ({}, math.inf, "budget must be positive or none"), ({}, 1e-9, "raise epsilon"),
        ({"width": 11}, None, "heads divide width"), ({"epochs": 0}, None, "must be positive"),
        ({"learning_rate": 0.0}, None, "learning_rate"), ({"sampling_rate": 0.9}, 1.0, "sampling_rate must lie between"),
    ],
)  # fmt: skip
def test_bad_parameters(settings: dict[str, float], budget: float | None, words: str) -> None:
    table, schema = learnt_from("copenhagen")
    with pytest.raises(ParameterError, match=words):
        TransformerSynthesizer(**settings).fit(table, schema, budget=budget, rng=np.random.default_rng(0))  # type: ignore[arg-type]


def test_too_few_patients_and_conditions_outside_the_codebook() -> None:
    table, schema = learnt_from("copenhagen")
    rng = np.random.default_rng(0)
    with pytest.raises(ParameterError, match="at least 50 rows, got 20"):
        TransformerSynthesizer().fit(table[:20], schema, budget=None, rng=rng)
    with pytest.raises(PhaseIVError, match="noisy number of patients must be at least 50"):
        TransformerSynthesizer().fit(table[:5], schema, budget=1.0, rng=rng)
    model = fitted("copenhagen", 1)
    with pytest.raises(ParameterError, match="given must hold columns of copenhagen"):
        model.sample(3, rng=rng, given=pl.DataFrame({"height": [1]}))
    with pytest.raises(TableError, match="age"):
        model.sample(3, rng=rng, given=pl.DataFrame({"age": [400]}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("epsilon", "sampling_rate", "steps"), [(0.3, 0.05, 600), (1, 0.05, 600), (5, 0.1, 300), (10, 0.5, 40)]
)
def test_the_noise_proves_its_epsilon_and_its_rho(epsilon: float, sampling_rate: float, steps: int) -> None:
    """By accountants that are not ours: the stated epsilon is no less, and rho holds at every order it claims."""
    rho = epsilon_to_rho(epsilon, DELTA)
    plan = planned(rho, DELTA, sampling_rate=sampling_rate, steps=steps)
    step = PoissonSampledDpEvent(sampling_rate, GaussianDpEvent(plan.noise_multiplier))
    events = (GaussianDpEvent(plan.count_sigma), SelfComposedDpEvent(step, steps))
    pessimistic, finer = PLDAccountant(), 1e-4 * steps**0.5
    for event in events:
        pessimistic.compose(event)
    truth = pessimistic.get_epsilon(DELTA)
    assert truth - finer <= plan.epsilon <= epsilon
    assert plan.epsilon <= 1.03 * truth
    assert plan.largest_order >= best_order(rho, DELTA)
    orders = [float(order) for order in range(2, plan.largest_order + 1)]
    divergences = RdpAccountant(orders)
    for event in events:
        divergences.compose(event)
    assert np.all(divergences._rdp <= plan.rho * np.array(orders) * (1 + 1e-6))


def test_rho_of_two_questions_adds_up() -> None:
    """The epsilon of the sum, as the ledger would state it, covers both trainings together."""
    plans = [planned(epsilon_to_rho(e, DELTA), DELTA, sampling_rate=0.05, steps=600) for e in (1.0, 2.0)]
    together = PLDAccountant()
    for plan in plans:
        together.compose(GaussianDpEvent(plan.count_sigma))
        step = PoissonSampledDpEvent(plan.sampling_rate, GaussianDpEvent(plan.noise_multiplier))
        together.compose(step, plan.steps)
    assert together.get_epsilon(DELTA) <= rho_to_epsilon(sum(plan.rho for plan in plans), DELTA)


def summed(network: torch.nn.Module, codes: torch.Tensor, norm: float, **optimiser: float) -> list[torch.Tensor]:
    """Noiseless sums of clipped gradients of one step."""
    guarded = GradSampleModule(copy.deepcopy(network), loss_reduction="sum")
    steps = DPOptimizer(
        torch.optim.SGD(guarded.parameters(), lr=0.0), noise_multiplier=0.0, max_grad_norm=norm,
        expected_batch_size=1, generator=torch.Generator(), **optimiser,  # type: ignore[arg-type]
    )  # fmt: skip
    dp_sgd._noisy_step(guarded, steps, codes, torch.Generator().manual_seed(0))
    return [p.grad for p in guarded.parameters() if p.grad is not None]


def test_no_patient_moves_a_step_by_more_than_the_clipping_norm() -> None:
    network = small_network()
    norms = [torch.cat([g.flatten() for g in summed(network, patients(9)[[i]], 0.01)]).norm() for i in range(9)]
    assert max(norms) <= 0.01 * (1 + 1e-5)
    assert min(norms) > 0.009


def test_unclipped_sums_are_the_plain_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients per patient add up to torch's own, in one portion or in several."""
    network, codes = small_network(), patients(11)
    monkeypatch.setattr(dp_sgd, "hidden", lambda some, masks, _: torch.full((len(some), masks, 3), HIDDEN))
    surprise(network, codes, torch.full((11, 4, 3), HIDDEN)).sum().backward()
    plain = [p.grad for p in network.parameters() if p.grad is not None]
    network.zero_grad()
    for portion in (512, 4):
        monkeypatch.setattr(dp_sgd, "MOST_AT_ONCE", portion)
        ours = summed(network, codes, 1e6)
        assert len(ours) == len(plain)
        assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(ours, plain, strict=True))


def test_a_step_without_patients_is_noise() -> None:
    assert all(torch.equal(g, torch.zeros_like(g)) for g in summed(small_network(), patients(3)[:0], 1.0))
    plan = planned(0.5, DELTA, sampling_rate=0.001, steps=3)
    draws, network = torch.Generator().manual_seed(0), small_network()
    start = copy.deepcopy(network)
    done = dp_sgd.privately_trained(network, patients(3), plan, patients=60, learning_rate=0.01, draws=draws)
    pairs = zip(start.parameters(), done.network.parameters(), strict=True)
    assert all(not torch.equal(a, b) for a, b in itertools.islice(pairs, 2))


@pytest.mark.slow
def test_a_private_fit_says_what_it_cost_and_that_it_is_not_for_release() -> None:
    table, schema = learnt_from("copenhagen")
    rho = epsilon_to_rho(5, DELTA)
    model = build("transformer", delta=DELTA).fit(table, schema, budget=rho, rng=np.random.default_rng(0))
    spend = model.privacy_
    assert spend.rho == rho
    assert spend.epsilon is not None
    assert spend.epsilon <= 5
    assert sum(m.rho for m in spend.mechanisms) == pytest.approx(rho)
    assert not spend.secure
    assert "PRV" in spend.accountant
    assert model.total_ != table.height
    found = described(model)
    assert found["noise_multiplier"] == pytest.approx(spend.mechanisms[1].sigma, abs=1e-4)
    assert "releases are refused" in found["warning"]
    made = model.sample(100, rng=np.random.default_rng(0))
    assert validate(made, schema, source="synthetic").equals(made)


@pytest.mark.slow
def test_it_says_how_it_was_trained(byar_greene: TransformerSynthesizer) -> None:
    found = described(byar_greene)
    assert found["family"] == "any-order transformer"
    assert found["validation_loss"] == min(found["losses"])
    assert found["epochs"] == len(found["losses"]) - 1
    assert not byar_greene.privacy_.private
