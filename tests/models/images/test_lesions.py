"""Lesions as ellipses: what is painted is described as it was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.images import lesions

Number = st.floats(-0.4, 0.4)


@given(down=Number, right=Number, tall=st.floats(0.1, 0.4), wide=st.floats(0.1, 0.4), tilt=Number, contrast=Number)
def test_a_painted_lesion_is_described_by_its_numbers(
    down: float, right: float, tall: float, wide: float, tilt: float, contrast: float
) -> None:
    asked = np.array([[down, right, tall, wide, tilt, contrast]])
    pixels, masks = lesions.painted(np.zeros((1, 64, 64)), asked)
    found = lesions.described(pixels, masks)[0]
    assert found[:2] == pytest.approx(asked[0, :2], abs=0.02)
    assert found[2:4] == pytest.approx(asked[0, 2:4], abs=0.05)
    assert found[4] == pytest.approx(tilt, abs=0.08)
    assert found[5] == pytest.approx(contrast, abs=0.02)


def test_without_a_lesion_nothing_is_described() -> None:
    masks = np.zeros((2, 8, 8), np.uint8)
    assert not lesions.present(masks).any()
    assert not lesions.described(np.ones((2, 8, 8)), masks).any()


def test_even_the_smallest_lesion_marks_a_pixel() -> None:
    masks = lesions.painted(np.zeros((1, 8, 8)), np.array([[0.0, 0.0, -1.0, -1.0, 0.0, 0.5]]))[1]
    assert masks.sum() >= 1
