"""Canaries fulfil the codebook and are as rare as they say."""

import numpy as np
import polars as pl
import pytest

from metrics.attacks.canaries import added, canaries
from records.schema import Schema
from records.validation import validate
from tests.models.bundled import COHORTS, learnt_from


@pytest.mark.parametrize("name", sorted(COHORTS))
def test_canaries_of_real_cohorts_fulfil_their_codebook(name: str) -> None:
    table, schema = learnt_from(name)
    for canary in canaries(table, schema).values():
        both = validate(added(table, canary), schema, source=name)
        assert both.height == table.height + 1


def test_canaries_are_what_they_are_called(train: pl.DataFrame, schema: Schema) -> None:
    table = train.with_columns(pl.lit("i").cast(schema["stage"].dtype).alias("stage"))
    found = canaries(table, schema)
    assert found["unseen"]["stage"][0] in ("ii", "iii")
    assert found["rare"]["stage"][0] == "i"
    assert found["missing"].select("marker", "stage").null_count().row(0) == (1, 1)
    assert found["unseen"]["age"][0] < 40
    assert {canary["patient"][0] for canary in found.values()} == {"canary"}


def test_the_neighbour_has_one_patient_more(train: pl.DataFrame, schema: Schema) -> None:
    both = added(train, canaries(train, schema)["rare"])
    assert both.columns == schema.names
    assert both[: train.height].equals(train.select(schema.names))
    assert np.all([both[name].dtype == column for name, column in schema.polars().items()])
