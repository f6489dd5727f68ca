"""Rare strata are drawn up to the frequent ones."""

import numpy as np
import polars as pl
import pytest

from models.augmentation import augment, balanced
from models.copula import CopulaSynthesizer
from models.graphical_synthesizer import GraphicalSynthesizer
from records.errors import ParameterError
from records.validation import validate
from tests.models.bundled import learnt_from


@pytest.mark.parametrize("model", [GraphicalSynthesizer(secure=False), CopulaSynthesizer()])
def test_every_level_is_as_frequent(model: GraphicalSynthesizer | CopulaSynthesizer) -> None:
    table, schema = learnt_from("byar_greene")
    rng = np.random.default_rng(0)
    model.fit(table, schema, budget=None, rng=rng)
    made = balanced(model, "bone_metastasis", n=201, rng=rng)
    assert made["bone_metastasis"].value_counts()["count"].sort().to_list() == [100, 101]
    assert validate(made, schema, source="synthetic").equals(made)
    added = augment(model, table, "bone_metastasis", rng=rng)
    both = pl.concat([table, added])["bone_metastasis"].value_counts()["count"]
    assert both.n_unique() == 1


def test_numbers_cannot_be_balanced() -> None:
    table, schema = learnt_from("byar_greene")
    model = CopulaSynthesizer().fit(table, schema, budget=None, rng=np.random.default_rng(0))
    with pytest.raises(ParameterError, match="must be a category of byar_greene, got age"):
        balanced(model, "age", n=10, rng=np.random.default_rng(0))
