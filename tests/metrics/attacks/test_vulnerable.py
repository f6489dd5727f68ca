"""The most isolated records, by an independent search for neighbours."""

import numpy as np
import polars as pl
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from metrics.attacks.vulnerable import isolation, most_vulnerable, pooled
from metrics.distance import Points, compared_columns, distances, points, rank_scales
from records.schema import Schema


def encoded(frame: pl.DataFrame, schema: Schema) -> Points:
    columns = compared_columns(schema)
    return points(frame, columns, rank_scales(frame, columns))


def test_isolation_equals_sklearn(train: pl.DataFrame, schema: Schema) -> None:
    table = encoded(train[:120], schema)
    apart = cdist(table.levels, table.levels, "cityblock") / 2 + cdist(table.numbers, table.numbers, "cityblock")
    found, _ = NearestNeighbors(n_neighbors=5, metric="precomputed").fit(apart).kneighbors()
    assert np.allclose(isolation(table), found.mean(axis=1), atol=1e-4)


def test_a_tenth_is_chosen_and_is_the_most_isolated(train: pl.DataFrame, schema: Schema) -> None:
    table = encoded(train[:101], schema)
    chosen = most_vulnerable(table)
    assert chosen.sum() == 11
    assert isolation(table)[chosen].min() >= isolation(table)[~chosen].max()


def test_few_records_do_not_crash(train: pl.DataFrame, schema: Schema) -> None:
    assert np.array_equal(isolation(encoded(train[:1], schema)), [0.0])
    assert most_vulnerable(encoded(train[:3], schema)).sum() == 1


def test_the_pool_keeps_the_order(train: pl.DataFrame, schema: Schema) -> None:
    table = encoded(train[:9], schema)
    assert np.array_equal(distances(pooled(table[:4], table[4:]), table), distances(table, table))
