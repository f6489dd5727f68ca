"""Rare levels of long lists: merged while learning, drawn again, paid for; they help where noise would drown them."""

import random

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.total_variation import pair_distances, pair_shares
from models.graphical_synthesizer import GraphicalSynthesizer
from models.rare_levels import RARE, RareLevels, rare_levels
from models.selection import Selection
from records.accounting import epsilon_to_rho
from records.discretisation import encode, level_count
from records.schema import Column, Kind, Outcome, Role, Schema
from records.validation import validate

CODES = {f"c{i:03}": f"Code {i}" for i in range(150)}
YES_NO = {"0": "No", "1": "Yes"}
COLUMNS = (
    Column(name="code", label="Diagnosis", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=CODES, missing=True),
    Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, levels=YES_NO),
    Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=20, maximum=90),
    Column(name="died", label="Died", role=Role.OUTCOME, kind=Kind.CATEGORY, levels=YES_NO),
)
SCHEMA = Schema(
    name="coded", title="Long code list, made for this test", columns=COLUMNS,
    outcomes=(Outcome(name="died", label="Died", column="died", positive=("1",)),),
)  # fmt: skip
RHO = epsilon_to_rho(1, 1e-5)


def coded(rows: int, seed: int = 0) -> pl.DataFrame:
    """A list in which five codes hold most patients, and codes that tell about age and death."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, 151) ** 1.6
    code = rng.choice(150, size=rows, p=share / share.sum())
    age = (40 + 8 * (code % 5) + rng.normal(0, 8, rows)).clip(20, 90).astype(int)
    raw = pl.DataFrame({
        "code": [f"c{c:03}" if m else None for c, m in zip(code, rng.random(rows) > 0.05, strict=True)],
        "sex": rng.integers(2, size=rows).astype(str), "age": age,
        "died": (rng.random(rows) < 0.1 + 0.1 * (code % 5)).astype(int).astype(str),
    })  # fmt: skip
    return validate(raw, SCHEMA, source="coded")


def test_frequent_levels_stay_and_the_rest_shares_one() -> None:
    table = coded(5000)
    rare, cost = rare_levels(table, SCHEMA, rho=RHO / 10, bits=random.Random(0))
    merged = rare.schema(SCHEMA)
    assert {"c000", "c001"} <= set(merged["code"].levels)
    assert len(merged["code"].levels) < 40
    assert sum(rare.shares["code"].values()) == pytest.approx(1)
    assert cost.rho == pytest.approx(RHO / 10)
    made = rare.split(rare.merged(table), SCHEMA, np.random.default_rng(0))
    frequent = ~table["code"].cast(pl.String).is_in(list(rare.shares["code"]))
    assert made.filter(frequent)["code"].equals(table.filter(frequent)["code"])
    assert made["code"].null_count() == table["code"].null_count()
    assert RARE not in made["code"].cast(pl.String).to_list()


def test_short_lists_cost_nothing() -> None:
    schema = SCHEMA.select(["sex", "age", "died"])
    assert rare_levels(coded(100), schema, rho=RHO, bits=None) == (RareLevels(), Selection())


def distance(table: pl.DataFrame, made: pl.DataFrame) -> float:
    levels = [level_count(c) for c in COLUMNS]
    shares = [pair_shares(encode(t, COLUMNS), levels) for t in (table, made)]
    return float(pair_distances(*shares, levels)[np.triu_indices(len(COLUMNS), k=1)].mean())


def test_the_synthesizer_pays_for_it_and_is_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    table, found = coded(3000), {}
    for longest in (20, 1000):
        monkeypatch.setattr("models.rare_levels.LONG", longest)
        made = []
        for seed in range(3):
            rng = np.random.default_rng(seed)
            model = GraphicalSynthesizer(secure=False).fit(table, SCHEMA, budget=RHO, rng=rng)
            assert sum(m.rho for m in model.privacy_.mechanisms) == pytest.approx(RHO)
            made.append(model.sample(3000, rng=rng))
            assert validate(made[-1], SCHEMA, source="synthetic").equals(made[-1])
        found[longest] = np.mean([distance(table, m) for m in made])
    assert found[20] < 0.8 * found[1000]


def test_a_rare_level_can_be_given() -> None:
    rng = np.random.default_rng(0)
    model = GraphicalSynthesizer(secure=False).fit(coded(2000), SCHEMA, budget=RHO, rng=rng)
    assert "c149" in model.rare_.shares["code"]
    given = pl.DataFrame({"code": pl.Series(["c149"], dtype=SCHEMA["code"].dtype)})
    made = model.sample(50, rng=rng, given=given)
    assert set(made["code"].cast(pl.String)) == {"c149"}


def test_stored_answers_learn_the_same_model() -> None:
    rng = np.random.default_rng(0)
    model = GraphicalSynthesizer(secure=False).fit(coded(2000), SCHEMA, budget=RHO, rng=rng)
    again = GraphicalSynthesizer(secure=False).load(model.measurements_, SCHEMA, RareLevels(dict(model.rare_.shares)))
    one, other = (m.sample(200, rng=np.random.default_rng(1)) for m in (model, again))
    assert one.equals(other)
