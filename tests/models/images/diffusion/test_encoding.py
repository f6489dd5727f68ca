"""An image table there and back."""

import numpy as np
import polars as pl
import torch

from models.images.diffusion.encoding import encoded, image_table, indicators, partly_hidden
from records.images import INDEX, PrivacyUnit, validate_images
from tests.models.images.diffusion.small_cohorts import lesions


def test_there_and_back() -> None:
    table, schema = lesions(30)
    mixed = table.select(np.random.default_rng(0).permutation(len(table)))
    records = encoded(mixed, schema)
    order = np.argsort(mixed.groups(), kind="stable")
    rows = mixed.rows[order.tolist()].drop(list(INDEX))
    made = image_table(records.images, rows, schema, local_only=True)
    assert np.allclose(made.pixels, mixed.pixels[order], atol=1e-3)
    assert made.masks is not None
    assert mixed.masks is not None
    assert np.array_equal(made.masks, mixed.masks[order])
    assert made.local_only
    assert made.phantom
    validate_images(made, schema, source="made")


def test_patients_own_their_slices() -> None:
    table, schema = lesions(12, slices=3)
    records = encoded(table, schema)
    assert len(records) == 12
    assert records.slices.tolist() == [3] * 12
    assert records.of(torch.tensor([1, 3])).tolist() == [3, 4, 5, 9, 10, 11]
    alone = encoded(table, schema.model_copy(update={"privacy_unit": PrivacyUnit.IMAGE}))
    assert len(alone) == 36


def test_conditions_are_levels_of_columns_the_label_first() -> None:
    table, schema = lesions(30)
    known, widths = indicators(table.rows, schema)
    assert widths == (3, 4, 4)
    assert torch.equal(known.sum(dim=1), torch.full((60,), 3.0))
    levels = known[:, :3].argmax(dim=1).numpy()
    assert np.array_equal(levels, table.rows["malignancy"].cast(pl.Enum(list(schema.label.levels))).to_physical())


def test_whole_columns_are_hidden() -> None:
    known = torch.ones(20_000, 7)
    shown = partly_hidden(known, (3, 4), torch.Generator().manual_seed(0))
    assert torch.equal(shown[:, 0], shown[:, 2])
    assert abs(float(shown[:, 0].mean()) - 0.81) < 0.01
    assert abs(float((shown.sum(dim=1) == 0).float().mean()) - (0.1 + 0.9 * 0.01)) < 0.01
