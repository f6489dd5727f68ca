"""Learning curves: more patients help, useful synthetic images help few patients, useless ones do not."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from metrics.images.decision_support import decision_support, some_patients, together
from metrics.images.plots import decision_support_plot
from records.errors import ParameterError
from records.images import ImageSchema, ImageTable, PrivacyUnit

Draw = Callable[..., ImageTable]


def test_curves(draw_images: Draw, image_schema: ImageSchema) -> None:
    train, made, test = draw_images(120, 0), draw_images(150, 1), draw_images(120, 2)
    found = decision_support(train, made, test, image_schema, sizes=(8, 500), seeds=(0, 1), model="logistic")
    json.dumps(found, allow_nan=False)
    rows = {(row["patients"], row["source"]): row for row in found["rows"]}
    assert list(rows) == [(n, source) for n in (8, 120) for source in ("real", "synthetic", "both")]
    assert rows[120, "real"]["auc"]["value"] > rows[8, "real"]["auc"]["value"]
    assert rows[8, "both"]["gain"]["lower"] > 0
    assert rows[8, "both"]["auc"]["value"] > rows[8, "synthetic"]["auc"]["value"]
    assert rows[8, "real"]["gain"]["value"] == 0
    assert "-0.0" not in json.dumps(found)


def test_what_cannot_be_measured_has_a_reason_and_is_drawn_as_nothing(
    draw_images: Draw, image_schema: ImageSchema
) -> None:
    train, made, test = draw_images(40, 0), draw_images(40, 1), draw_images(40, 2)
    one_class = made.select(np.flatnonzero(made.rows["finding"] == "spot"))
    unit = image_schema.model_copy(update={"privacy_unit": PrivacyUnit.IMAGE})
    found = decision_support(train, one_class, test, unit, sizes=(8,), seeds=(0, 1), model="logistic")
    rows = {(row["patients"], row["source"]): row for row in found["rows"]}
    assert rows[8, "synthetic"]["auc"] == {"value": None, "lower": None, "upper": None}
    assert rows[8, "synthetic"]["gain"]["value"] is None
    assert "fewer than two classes" in rows[8, "synthetic"]["reason"]
    assert rows[8, "both"]["auc"]["value"] is not None
    assert found["unit"] == "image"
    assert decision_support_plot(found).startswith(b"\x89PNG")


def test_patients_keep_slices_and_shares(draw_images: Draw, image_schema: ImageSchema) -> None:
    table = draw_images(40, 0, 3)
    part = some_patients(table, 10, 1, image_schema)
    assert (len(part.patients), len(part)) == (10, 30)
    assert (part.rows["finding"] == "spot").sum() == 15
    assert part.patients != some_patients(table, 10, 2, image_schema).patients


def test_together_holds_both(draw_images: Draw, image_schema: ImageSchema) -> None:
    both = together(draw_images(5, 0), draw_images(7, 1), image_schema)
    assert len(both.patients) == 12


def test_nothing_to_add_is_refused(draw_images: Draw, image_schema: ImageSchema) -> None:
    train = draw_images(10, 0)
    with pytest.raises(ParameterError, match="synthetic image"):
        decision_support(train, train.of_patients([]), train, image_schema)
