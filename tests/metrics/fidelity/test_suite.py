"""All fidelity figures at once: JSON, references in order, and bad input that must not raise."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.references import MATCHED
from metrics.fidelity.suite import fidelity_suite
from metrics.fidelity.table import fidelity
from records.schema import Schema

pytestmark = pytest.mark.slow

PARTS = ("triples", "univariate", "association", "two_sample", "missingness", "manifold", "survival_references")


def suite(train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema) -> dict[str, Any]:
    found = fidelity_suite(train, holdout, synthetic, schema, rng=np.random.default_rng(0))
    return json.loads(json.dumps(found, allow_nan=False))


@pytest.fixture(scope="module")
def whole(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> dict[str, Any]:
    return suite(train, holdout, fresh, schema)


def test_every_part_is_there(whole: dict[str, Any]) -> None:
    assert whole["reasons"] == {}
    assert all(whole[part] is not None for part in PARTS)


def test_table_figures_are_those_of_the_report(
    whole: dict[str, Any], train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    alone = fidelity(train, holdout, fresh, schema, rng=np.random.default_rng(0)).to_json()
    assert {key: whole[key] for key in alone} == json.loads(json.dumps(alone))


@pytest.mark.parametrize(
    "path", [("triples", "mean"), ("association", "mean"), ("survival_references", "largest"), ("two_sample", "auc")]
)
def test_holdout_is_nearer_than_independent_columns(whole: dict[str, Any], path: tuple[str, str]) -> None:
    values = {name: whole[path[0]][path[1]][name] for name in MATCHED}
    known = {name: v["value"] if isinstance(v, dict) else v for name, v in values.items()}
    assert known["holdout"] < known["independent_matched"]
    assert known["bootstrap_matched"] < known["independent_matched"]


def test_copy_scores_0_everywhere(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    copy = suite(train, holdout, train, schema)
    assert copy["max_tvd2"] == 0
    assert copy["triples"]["max"]["synthetic"] == 0
    assert {values["synthetic"] for values in copy["univariate"]["max"].values()} == {0}
    assert copy["association"]["max"]["synthetic"] == 0
    assert copy["missingness"]["pattern_tvd"]["synthetic"] == 0
    assert copy["survival_references"]["largest"]["synthetic"] == 0
    assert copy["two_sample"]["auc"]["synthetic"]["value"] < 0.55


def test_one_seed_gives_one_report(
    whole: dict[str, Any], train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    assert suite(train, holdout, fresh, schema) == whole


def emptied(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.clear()


def one_row(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.head(1)


def constant(frame: pl.DataFrame) -> pl.DataFrame:
    return frame[np.zeros(frame.height, dtype=int)]


def unknown(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.lit(None).cast(dtype).alias(name) for name, dtype in frame.schema.items())


def nan_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(marker=pl.lit(float("nan")), doctor_guess=pl.lit(float("nan")))


@pytest.mark.parametrize("broken", [emptied, one_row, constant, unknown, nan_numbers])
@pytest.mark.parametrize("which", ["train", "holdout", "synthetic"])
def test_bad_tables_give_reasons_and_never_raise(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    fresh: pl.DataFrame,
    schema: Schema,
    broken: Callable[[pl.DataFrame], pl.DataFrame],
    which: str,
) -> None:
    frames = {"train": train.head(120), "holdout": holdout.head(60), "synthetic": fresh.head(120)}
    found = suite(**frames | {which: broken(frames[which])}, schema=schema)
    assert {part for part in PARTS if found[part] is None} == set(found["reasons"])
    if broken is emptied and which != "holdout":
        assert set(found["reasons"]) == set(PARTS)
        assert found["reasons"]["triples"] == f"the {which} table has no row"


def test_one_column(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> None:
    found = suite(train, holdout, fresh, schema.select(["smoker"]))
    assert {"triples", "association", "missingness", "survival_references"} <= set(found["reasons"])
    assert found["univariate"]["mean"]["jensen_shannon"]["synthetic"] < 0.1
