"""The dot plot: a picture for whole, partial and empty reports."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from metrics.fidelity.suite import fidelity_suite
from metrics.plots.references import DISTANCES, SCORES, TABLES, _rows, references_plot
from records.schema import Schema

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def whole(train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema) -> dict[str, Any]:
    return fidelity_suite(train, holdout, fresh, schema, rng=np.random.default_rng(0))


def test_every_figure_has_all_references(whole: dict[str, Any]) -> None:
    rows = _rows(whole, DISTANCES) + _rows(whole, SCORES)
    assert [label for label, _ in rows] == [*DISTANCES, *SCORES]
    assert all(set(values) == set(TABLES) for _, values in rows)
    assert references_plot(whole).startswith(PNG)


def test_parts_that_are_not_there_are_left_out(whole: dict[str, Any]) -> None:
    partial = whole | {"manifold": None, "two_sample": None, "survival_references": None}
    assert _rows(partial, SCORES) == []
    assert references_plot(partial).startswith(PNG)


def test_table_report_alone_is_enough(whole: dict[str, Any]) -> None:
    alone = {name: whole[name] for name in TABLES}
    assert len(_rows(alone, DISTANCES)) == 2
    assert references_plot(alone).startswith(PNG)
    assert references_plot({}).startswith(PNG)
