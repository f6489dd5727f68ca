"""Dice against its definition; a network trained on made-up spots finds them, one trained on noise does not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from metrics.images.segmentation import dice, segmentation
from records.images import ImageSchema, ImageTable

Draw = Callable[..., ImageTable]


def test_dice_equals_its_definition() -> None:
    one = np.zeros((3, 4, 4), bool)
    other = one.copy()
    one[0, :2], other[0, 1:3] = True, True
    one[1, 0] = True
    assert dice(one, other) == pytest.approx([2 * 4 / 16, 0, 1])


@pytest.mark.slow
def test_masks_are_learnt_only_where_they_fit(draw_images: Draw, image_schema: ImageSchema) -> None:
    real = draw_images(60, 0)
    assert real.masks is not None
    misplaced = replace(real, masks=np.roll(real.masks, 8, axis=2))
    found = segmentation({"real": real, "misplaced": misplaced}, draw_images(30, 1), image_schema, seeds=(0,))
    assert found is not None
    sides = found["sides"]
    assert sides["real"]["dice"]["lower"] > 0.6
    assert sides["misplaced"]["dice"]["value"] < 0.4


def test_cohorts_and_sources_without_masks(draw_images: Draw, image_schema: ImageSchema) -> None:
    bare = replace(draw_images(20, 0), masks=None)
    test = draw_images(20, 1)
    assert segmentation({"real": bare}, bare, image_schema, seeds=(0,)) is None
    found = segmentation({"real": bare}, test, image_schema, seeds=(0,))
    assert found is not None
    assert found["sides"]["real"]["reason"] == "the training images have no masks"
    few = segmentation({"real": test.select(np.arange(4))}, test, image_schema, seeds=(0,))
    assert few is not None
    assert few["sides"]["real"]["reason"] == "2 training images hold a lesion, at least 5 are needed"
