"""Trees follow the data closely, meet conditions exactly and say that they promise no privacy."""

import numpy as np
import polars as pl
import pytest

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from metrics.fidelity.total_variation import pair_distances, pair_shares
from models.attributes import FOLLOW_UP
from models.description import described
from models.registry import build
from models.trees import TreeSynthesizer, _possible
from records.discretisation import discrete_columns, encode, level_count
from records.errors import ParameterError, TableError
from records.schema import Schema
from records.validation import validate
from use_cases.registry import discover

COHORTS = {c.name: c for u in discover().values() for c in u.cohorts if c.source.bundled}


def learnt_from(name: str) -> tuple[pl.DataFrame, Schema]:
    cohort = COHORTS[name]
    schema = released_schema(cohort.table)
    return deidentify(cohort.load(), cohort.table, key=b"k" * 32, k=5).frame.select(schema.names), schema


def mean_distance(one: pl.DataFrame, other: pl.DataFrame, schema: Schema) -> float:
    columns = discrete_columns(schema)
    levels = [level_count(c) for c in columns]
    first, second = (pair_shares(encode(frame, columns), levels) for frame in (one, other))
    return float(pair_distances(first, second, levels)[np.triu_indices(len(levels), 1)].mean())


def fitted(table: pl.DataFrame, schema: Schema, **settings: float) -> TreeSynthesizer:
    return TreeSynthesizer(**settings).fit(table, schema, budget=None, rng=np.random.default_rng(0))  # type: ignore[arg-type]


@pytest.mark.parametrize("cohort", COHORTS)
def test_rows_fit_the_codebook_and_depend_on_each_other(cohort: str) -> None:
    table, schema = learnt_from(cohort)
    model = fitted(table, schema)
    made = model.sample(rng=np.random.default_rng(1))
    assert made.height == table.height
    assert validate(made, schema, source="synthetic").equals(made)
    alone = table.select(pl.col(c).shuffle(i) for i, c in enumerate(table.columns))
    assert mean_distance(made, table, schema) < 0.9 * mean_distance(alone, table, schema)


def test_a_seed_repeats_every_row() -> None:
    table, schema = learnt_from("copenhagen")
    given = table.select("sex")[:50]
    first, second = (fitted(table, schema) for _ in range(2))
    for condition in (None, given):
        drawn = [m.sample(rng=np.random.default_rng(5), given=condition) for m in (first, second)]
        assert drawn[0].equals(drawn[1])
    assert not first.sample(rng=np.random.default_rng(6)).equals(first.sample(rng=np.random.default_rng(5)))


def test_given_holds_in_every_row_and_moves_the_others() -> None:
    table, schema = learnt_from("byar_greene")
    model, rng = fitted(table, schema), np.random.default_rng(0)
    made = [model.sample(2000, rng=rng, given=pl.DataFrame({"bone_metastasis": [v]})) for v in ("0", "1")]
    assert all((frame["bone_metastasis"] == v).all() for frame, v in zip(made, ("0", "1"), strict=True))
    real = table.group_by("bone_metastasis").agg((pl.col("event") == "1").mean()).sort("bone_metastasis")["event"]
    assert [(frame["event"] == "1").mean() for frame in made] == pytest.approx(real.to_list(), abs=0.04)
    rows = model.sample(rng=rng, given=table.select("age", "event")[:40])
    assert rows.select("age", "event").equals(table.select("age", "event")[:40])


def test_one_of_time_and_event_conditions_the_other() -> None:
    table, schema = learnt_from("byar_greene")
    assert schema.time is not None
    made = fitted(table, schema).sample(3000, rng=np.random.default_rng(0), given=pl.DataFrame({"event": ["1"]}))
    assert (made["event"] == "1").all()
    real = table.filter(pl.col("event") == "1")
    column = [schema.time]
    shares = [np.bincount(encode(f, column)[:, 0], minlength=level_count(schema.time)) / f.height for f in (made, real)]
    assert np.abs(shares[0] - shares[1]).sum() / 2 < 0.05


def test_larger_leaves_hide_each_patient_among_more() -> None:
    table, schema = learnt_from("support2_lung")
    model = fitted(table, schema, min_leaf=60, penalty=0)
    for (name, *_), leaves in model.leaves_.items():
        if leaves.tree is not None:
            assert leaves.tree.tree_.n_node_samples[leaves.nodes].min() >= 60, name
    pruned = fitted(table, schema, min_leaf=60, penalty=1)
    grown = [sum(leaves.nodes.size for leaves in m.leaves_.values()) for m in (model, pruned)]
    assert grown[1] < grown[0]


def test_constant_and_empty_columns_stay_so() -> None:
    table, schema = learnt_from("support2_lung")
    empty = next(c for c in schema.columns if c.missing)
    constant = next(c for c in schema.columns if c.levels and c is not schema.event and c.name != empty.name)
    level = table[constant.name].drop_nulls()[0]
    odd = table.with_columns(
        pl.lit(None, dtype=empty.dtype).alias(empty.name), pl.lit(level, dtype=constant.dtype).alias(constant.name)
    )
    made = fitted(odd, schema).sample(200, rng=np.random.default_rng(0))
    assert made[empty.name].null_count() == 200
    assert (made[constant.name] == level).all()


def test_a_level_that_no_patient_has_can_be_given() -> None:
    """The leaf has no patient with it, nor has the table: the allowed levels are then equally likely."""
    shares, overall = np.array([[1.0, 0, 0, 0]]), np.array([[0.5, 0.5, 0, 0]])
    allowed = np.array([[False, True, True, False], [False, False, True, True]])
    assert _possible(shares[[0, 0]], allowed, overall).tolist() == [[0, 0.5, 0, 0], [0, 0, 1, 1]]
    table, schema = learnt_from("copenhagen")
    alive = table.filter(pl.col("event") == "0")
    made = fitted(alive, schema).sample(30, rng=np.random.default_rng(0), given=pl.DataFrame({"event": ["1"]}))
    assert (made["event"] == "1").all()


def test_bad_requests() -> None:
    table, schema = learnt_from("copenhagen")
    rng = np.random.default_rng(0)
    for budget in (1.0, 0.0, -1.0):
        with pytest.raises(ParameterError, match="budget must be none for trees"):
            TreeSynthesizer().fit(table, schema, budget=budget, rng=rng)
    with pytest.raises(ParameterError, match="at least 50 rows, got 20"):
        TreeSynthesizer().fit(table[:20], schema, budget=None, rng=rng)
    for settings in ({"min_leaf": 0}, {"penalty": -1.0}):
        with pytest.raises(ParameterError, match="min_leaf must be at least 1"):
            fitted(table, schema, **settings)
    model = fitted(table, schema)
    with pytest.raises(ParameterError, match="given must hold columns of copenhagen"):
        model.sample(3, rng=rng, given=pl.DataFrame({"height": [1]}))
    with pytest.raises(TableError, match="age"):
        model.sample(3, rng=rng, given=pl.DataFrame({"age": [400]}))


def test_it_says_what_it_is() -> None:
    table, schema = learnt_from("copenhagen")
    model = build("trees", delta=1e-5).fit(table, schema, budget=None, rng=np.random.default_rng(0))
    found = described(model)
    assert found["family"] == "classification trees"
    assert found["order"][0] == FOLLOW_UP
    assert found["min_leaf"] == 20
    assert not model.privacy_.private
