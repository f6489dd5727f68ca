"""Association matrices of two tables: differences, references and worst pairs."""

import numpy as np
import polars as pl

from metrics.fidelity.association import association
from metrics.fidelity.references import compared
from records.schema import Schema


def test_references_keep_their_order(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    report = association(compared(train, holdout, fresh, schema, rng=np.random.default_rng(0)))
    assert report.mean is not None
    assert report.mean["synthetic"] < report.mean["independent"]
    assert report.mean["holdout"] < report.mean["independent_matched"]
    assert report.pairs == 9 * 8 / 2


def test_copy_has_no_difference(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    report = association(compared(train, holdout, train, schema, rng=np.random.default_rng(0)))
    assert report.mean is not None
    assert report.max is not None
    assert (report.mean["synthetic"], report.max["synthetic"]) == (0, 0)


def test_worst_pair_is_the_one_that_was_broken(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    rng = np.random.default_rng(0)
    broken = train.with_columns(doctor_guess=train["doctor_guess"].gather(rng.permutation(train.height)))
    report = association(compared(train, holdout, broken, schema, rng=rng))
    assert "doctor_guess" in report.worst_pairs[0]["columns"]
    assert "time" in report.worst_pairs[0]["columns"]
    assert report.worst_pairs[0]["measure"] == "Spearman's correlation"


def test_nothing_that_varies_has_a_reason(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    constant = train[[0]].select(pl.all().repeat_by(50).explode())
    report = association(compared(train, holdout, constant, schema, rng=np.random.default_rng(0)))
    assert report.matrices is None
    assert report.reason is not None
