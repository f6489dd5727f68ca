"""Private quantiles against the true ones, and their cost, at epsilon 5: at 1 they cost 5,000 patients more than they bring."""

import random

import numpy as np
import polars as pl
import pytest

from models.graphical_synthesizer import GraphicalSynthesizer
from models.quantile_bins import quantile_binned
from records.accounting import epsilon_to_rho
from records.schema import Column, Kind, Role, Schema
from records.validation import validate

COLUMNS = (
    Column(name="marker", label="Marker", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=0, maximum=1000, missing=True),
    Column(name="visits", label="Visits", role=Role.COVARIATE, kind=Kind.INTEGER, minimum=0, maximum=60),
    Column(
        name="cut", label="With cut points", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=0, maximum=9, bins=(3, 5)
    ),
)
SCHEMA = Schema(name="skewed", title="Skewed numbers, made for this test", columns=COLUMNS)


def skewed(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    marker = pl.Series("marker", np.minimum(rng.lognormal(4, 0.8, rows), 1000.0))
    raw = pl.DataFrame([
        pl.select(pl.when(pl.Series(rng.random(rows) > 0.2)).then(marker)).to_series().alias("marker"),
        pl.Series("visits", rng.poisson(4, rows).clip(0, 60)), pl.Series("cut", rng.uniform(0, 9, rows)),
    ])  # fmt: skip
    return validate(raw, SCHEMA, source="skewed")


def test_cut_points_are_near_the_true_quantiles() -> None:
    table = skewed(5000)
    made, cost = quantile_binned(table, SCHEMA, bins=8, rho=epsilon_to_rho(5, 1e-5) / 10, bits=random.Random(1))
    known = table["marker"].drop_nulls().to_numpy()
    for cut in made["marker"].bins:
        share = (known < cut).mean()
        assert np.abs(share - np.arange(1, 8) / 8).min() < 0.06
    assert len(made["marker"].bins) >= 5
    assert made["cut"].bins == (3, 5)
    assert cost.rho == pytest.approx(epsilon_to_rho(5, 1e-5) / 10)


def test_the_synthesizer_pays_for_them_and_follows_the_data_better() -> None:
    table, gaps = skewed(5000), {}
    for bins in (None, 16):
        rng = np.random.default_rng(0)
        model = GraphicalSynthesizer(quantile_bins=bins, secure=False)
        model.fit(table, SCHEMA, budget=epsilon_to_rho(5, 1e-5), rng=rng)
        assert model.privacy_.epsilon is not None
        assert model.privacy_.epsilon <= 5
        assert any(m.purpose.startswith("quantiles") for m in model.privacy_.mechanisms) == bool(bins)
        made = model.sample(5000, rng=rng)
        assert validate(made, SCHEMA, source="synthetic").equals(made)
        grid = np.linspace(0, 1000, 500)
        shares = [np.searchsorted(np.sort(t["marker"].drop_nulls().to_numpy()), grid) / 4000 for t in (made, table)]
        gaps[bins] = np.abs(shares[0] - shares[1]).max()
    assert gaps[16] < gaps[None] / 2
