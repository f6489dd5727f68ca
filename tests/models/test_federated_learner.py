"""Gradients of one patient are the derivative of the loss, and no patient moves a sum by more than stated."""

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.federated_learner import Examples, FederatedLearner, cut, examples
from records.schema import Column, Kind, Outcome, Role, Schema

AGE = Column(name="age", label="Age", role=Role.COVARIATE, kind=Kind.INTEGER, minimum=20, maximum=100, missing=True)
STAGE = Column(
    name="stage", label="Stage", role=Role.COVARIATE, kind=Kind.CATEGORY, levels={"1": "I", "2": "II", "3": "III"}
)
GRADE = STAGE.model_copy(update={"name": "grade", "missing": True})
DEAD = Column(name="dead", label="Dead", role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"0": "no", "1": "yes"})
SCHEMA = Schema(name="ward", title="Ward", columns=(AGE, STAGE, GRADE, DEAD))
OUTCOME = Outcome(name="dead", label="Dead", column="dead", positive=("1",))
COVARIATES = (AGE, STAGE, GRADE)
TABLE = pl.DataFrame(
    {
        "age": [20, 60, None, 100],
        "stage": ["1", "2", "3", "1"],
        "grade": ["3", None, "1", "2"],
        "dead": ["0", "1", "1", None],
    },
    schema=SCHEMA.polars(),
)
EXAMPLES = examples(TABLE, SCHEMA, OUTCOME, COVARIATES)


def _learner(hidden: int, rows: Examples = EXAMPLES) -> FederatedLearner:
    return FederatedLearner(COVARIATES, hidden, 1, rows, rows)


def test_inputs_are_scaled_by_the_codebook_and_say_what_is_missing():
    assert _learner(0).architecture["inputs"] == [
        "age", "age: missing", "stage: II", "stage: III", "grade: II", "grade: III", "grade: missing",
    ]  # fmt: skip
    edge = np.sqrt(3)
    expected = [[-edge, 0, 0, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0, 1], [0, 1, 0, 1, 0, 0, 0]]
    np.testing.assert_allclose(EXAMPLES.inputs.numpy(), expected)
    assert EXAMPLES.labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize("hidden", [0, 1, 4])
def test_the_gradient_is_the_derivative_of_the_loss(hidden: int):
    learner = _learner(hidden)
    weights = np.random.default_rng(2).normal(size=learner.size)
    _, gradient = learner.loss_gradient(weights)
    steps = np.eye(learner.size) * 1e-6
    numeric = [(learner.loss_gradient(weights + s)[0] - learner.loss_gradient(weights - s)[0]) / 2e-6 for s in steps]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)
    # Where nothing is long, cutting changes only by rounding.
    whole = learner.clipped(weights, 1e3, 1 << 40) * (1e3 / (1 << 40))
    np.testing.assert_allclose(whole, gradient, atol=1e-7)


def test_a_linear_network_is_a_logistic_regression():
    learner, weights = _learner(0), np.arange(8) / 10
    risk, label = learner.risks(weights)
    linear = EXAMPLES.inputs.numpy() @ weights[:-1] + weights[-1]
    np.testing.assert_allclose(risk, 1 / (1 + np.exp(-linear)))
    assert label.tolist() == [0, 1, 1]


def test_sites_start_alike_and_a_site_without_patients_adds_nothing():
    empty = _learner(4, Examples(torch.zeros((0, 7), dtype=torch.double), torch.zeros(0, dtype=torch.double)))
    np.testing.assert_array_equal(empty.start(), _learner(4).start())
    assert not empty.clipped(empty.start(), 1.0, 1 << 16).any()
    assert empty.loss_gradient(empty.start())[0] == 0
    assert empty.risks(empty.start())[0].size == 0


anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(anything, min_size=5, max_size=5), min_size=1, max_size=4), st.floats(1e-3, 1e3))
def test_whole_numbers_of_a_patient_have_at_most_the_stated_norm(rows: list[list[float]], clip: float):
    whole = cut(np.array(rows), clip, 1 << 16)
    assert ((whole.astype(object) ** 2).sum(axis=1) <= (1 << 16) ** 2).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 5), st.floats(0.1, 50), st.sampled_from([0, 3]))
def test_a_patient_moves_the_sum_by_at_most_the_clip(seed: int, clip: float, size: float, hidden: int):
    draws = np.random.default_rng(seed)
    inputs, labels = draws.normal(size=(30, 7)) * size, draws.integers(0, 2, 30).astype(float)
    weights = draws.normal(size=_learner(hidden).size)

    def total(rows: np.ndarray) -> np.ndarray:
        return _learner(hidden, Examples(torch.from_numpy(inputs[rows]), torch.from_numpy(labels[rows]))).clipped(
            weights, clip, 1 << 16
        )

    gone = int(draws.integers(30))
    moved = total(np.arange(30)) - total(np.delete(np.arange(30), gone))
    assert np.linalg.norm(moved) <= (1 << 16) + 64


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-3, 3))
def test_what_is_short_enough_is_only_rounded_towards_zero(seed: int, decades: int):
    gradient = np.random.default_rng(seed).normal(size=(1, 6)) * 10.0**decades
    clip = float(np.linalg.norm(gradient)) * 1.01
    whole = cut(gradient, clip, 1 << 16) * (clip / (1 << 16))
    assert (np.abs(whole) <= np.abs(gradient) * (1 + 1e-12)).all()
    np.testing.assert_allclose(whole, gradient, atol=clip / (1 << 16) * 1.001)
