"""Selection finds what matters, keeps to its size cap and its budget."""

import random

import numpy as np
import polars as pl
import pytest
from scipy.stats import chisquare

from models.attributes import attribute_levels, encode_attributes
from models.graphical_synthesizer import GraphicalSynthesizer
from models.oracle import TableOracle
from records.noise import exponential_mechanism
from records.schema import Column, Kind, Outcome, Role, Schema

LEVELS = {str(i): str(i) for i in range(6)}


def column(name: str, role: Role = Role.COVARIATE) -> Column:
    return Column(name=name, label=name, role=role, kind=Kind.CATEGORY, levels=LEVELS)


SCHEMA = Schema(
    name="paired", title="Paired", columns=(*(column(n) for n in "abcd"), column("y", Role.OUTCOME)),
    outcomes=(Outcome(name="y", label="y", column="y", positive=("1",)),),
)  # fmt: skip


def paired(rows: int) -> pl.DataFrame:
    """b copies a; everything else is independent. A generated table with a known truth."""
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(6, size=rows) for name in "acdy"}
    codes["b"] = codes["a"]
    return pl.DataFrame({n: pl.Series(codes[n].astype(str)).cast(pl.Enum(list(LEVELS))) for n in "abcdy"})


def test_the_dependent_pair_is_measured_and_reproduced() -> None:
    rng = np.random.default_rng(1)
    model = GraphicalSynthesizer(selection="aim", secure=False).fit(paired(3000), SCHEMA, budget=0.05, rng=rng)
    assert any({"a", "b"} <= set(m.attributes) for m in model.measurements_)
    made = model.sample(3000, rng=rng)
    assert (made["a"] == made["b"]).mean() > 0.85


def test_size_cap_bounds_the_model() -> None:
    rng = np.random.default_rng(1)
    model = GraphicalSynthesizer(selection="aim", secure=False, most_cells=200)
    model.fit(paired(3000), SCHEMA, budget=5.0, rng=rng)
    assert model.model_.tree.cells <= 200


def test_exponential_mechanism_has_its_distribution() -> None:
    """Chi-squared at 0.1 %, seed fixed."""
    scores, bits = np.array([0.0, 1.0, 2.5, 2.0]), random.Random(1)
    drawn = [exponential_mechanism(scores, 1.0, 1.5, bits) for _ in range(8000)]
    expected = np.exp(1.5 * scores / (2 * (1 + 1 / 1024)))
    assert chisquare(np.bincount(drawn, minlength=4), 8000 * expected / expected.sum()).pvalue > 0.001


def test_a_choice_is_differentially_private_between_neighbours() -> None:
    """Exact probabilities: no candidate's log-odds moves by more than epsilon when one patient leaves."""
    table, levels = paired(200), attribute_levels(SCHEMA)
    pairs = [("a", "b"), ("c", "d"), ("a", "c")]
    weights = [1.0, 2.0, 1.0]

    def log_shares(rows: pl.DataFrame) -> np.ndarray:
        oracle = TableOracle(encode_attributes(rows, SCHEMA))
        exact = [oracle.measure(p, sigma=0) for p in pairs]
        flat = [np.full([levels[a] for a in p], 200 / 36) for p in pairs]
        scores = np.array([w * np.abs(e - f).sum() for w, e, f in zip(weights, exact, flat, strict=True)])
        units = np.rint(scores / 2.0 * 1024)
        logits = units * 0.7 / (2 * 1025)
        return logits - np.logaddexp.reduce(logits)

    whole = log_shares(table)
    moved = [np.abs(whole - log_shares(table.filter(pl.int_range(pl.len()) != i))).max() for i in range(0, 200, 7)]
    assert 0 < max(moved) <= 0.7


@pytest.mark.parametrize("attributes", [["a"], ["y", "a"], ["a", "b", "y"], []])
def test_oracle_counts_agree_with_polars(attributes: list[str]) -> None:
    table = paired(500)
    counts = TableOracle(encode_attributes(table, SCHEMA)).measure(attributes, sigma=0)
    assert counts.sum() == 500
    for row in table.group_by(attributes).len().iter_rows() if attributes else []:
        assert counts[tuple(int(level) for level in row[:-1])] == row[-1]
