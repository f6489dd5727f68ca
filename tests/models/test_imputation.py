"""Completed tables against values that were hidden."""

import numpy as np
import polars as pl
import pytest

from models.graphical_synthesizer import GraphicalSynthesizer
from models.imputation import impute
from models.inference.estimates import proportion
from models.inference.pooling import pool_imputed
from records.validation import validate
from tests.models.bundled import learnt_from

pytestmark = pytest.mark.slow


def test_known_values_stay_and_missing_ones_are_filled() -> None:
    table, schema = learnt_from("support2_lung")
    rng = np.random.default_rng(0)
    model = GraphicalSynthesizer(secure=False).fit(table, schema, budget=0.5, rng=rng)
    one, other = impute(model, table, tables=2, rng=rng)
    assert table.null_count().sum_horizontal()[0] > 0
    for made in (one, other):
        assert validate(made, schema, source="imputed").equals(made)
        assert made.null_count().sum_horizontal()[0] == 0
        assert all((made[name] == table[name]).drop_nulls().all() for name in table.columns)
    assert not one.equals(other)


def test_hidden_values_come_back_by_what_is_known() -> None:
    """Whether bone metastases were there, hidden at random in half of the patients, within 3 standard errors of the truth."""
    table, schema = learnt_from("byar_greene")
    rng, name = np.random.default_rng(1), "bone_metastasis"
    wider = tuple(c.model_copy(update={"missing": True}) if c.name == name else c for c in schema.columns)
    schema = schema.model_copy(update={"columns": wider})
    hidden = table.with_columns(pl.when(pl.Series(rng.random(table.height) < 0.5)).then(pl.col(name)))
    model = GraphicalSynthesizer(secure=False).fit(hidden, schema, budget=None, rng=rng)
    tables = list(impute(model, hidden, tables=10, rng=rng))
    found = pool_imputed([proportion(name, "1")(t) for t in tables])
    assert found.standard_error[0] > proportion(name, "1")(table).covariance[0, 0] ** 0.5
    assert abs(found.value[0] - (table[name] == "1").mean()) < 3 * found.standard_error[0]
    drawn = pl.concat(
        [
            t.filter(hidden[name].is_null()).with_columns(truth=table.filter(hidden[name].is_null())[name])
            for t in tables
        ]
    )
    by_truth = drawn.group_by("truth").agg((pl.col(name) == "1").mean()).sort("truth")[name].to_list()
    assert by_truth[1] > by_truth[0] + 0.1
