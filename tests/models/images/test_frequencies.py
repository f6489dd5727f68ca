"""The cosine transform in frequency order: invertible, orthonormal, low frequencies first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dctn

from models.images.frequencies import Frequencies


@given(h=st.integers(2, 24), w=st.integers(2, 24), seed=st.integers(0, 1000))
def test_back_and_forth_is_the_same_image_of_the_same_energy(h: int, w: int, seed: int) -> None:
    images = np.random.default_rng(seed).normal(size=(3, h, w))
    waves = Frequencies((h, w))
    found = waves.forward(images)
    assert waves.backward(found) == pytest.approx(images)
    assert (found**2).sum() == pytest.approx((images**2).sum())
    assert sorted(found[0]) == pytest.approx(sorted(np.ravel(np.asarray(dctn(images[0], norm="ortho")))))
    assert (np.diff(waves.radius) >= 0).all()


def test_the_lowest_coefficients_alone_smooth_an_image() -> None:
    waves = Frequencies((16, 16))
    flat = waves.backward(waves.forward(np.arange(256.0).reshape(1, 16, 16), 1))
    assert flat == pytest.approx(np.full((1, 16, 16), 127.5))
