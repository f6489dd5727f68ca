"""Radiomics against scikit-image and scipy, and on a flat image."""

import numpy as np
import pytest
from scipy.stats import kurtosis, skew
from skimage.feature import graycomatrix, graycoprops

from metrics.images.radiomics import BINS, NAMES, co_occurrence, radiomic_features


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).beta(2, 3, (4, 20, 26)).astype(np.float32)


def column(found: np.ndarray, name: str) -> np.ndarray:
    return found[:, NAMES.index(name)]


def test_texture_equals_the_peer(pixels: np.ndarray) -> None:
    found, levels = radiomic_features(pixels), np.minimum((pixels * BINS).astype(np.uint8), BINS - 1)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    for at, image in enumerate(levels):
        each = graycomatrix(image, [1], angles, BINS, symmetric=True, normed=True)
        mean = each.mean(axis=3, keepdims=True)
        assert co_occurrence(pixels)[at] == pytest.approx(mean[:, :, 0, 0])
        for name, theirs in (
            ("contrast", "contrast"), ("dissimilarity", "dissimilarity"), ("homogeneity", "homogeneity"),
            ("angular second moment", "ASM"), ("correlation", "correlation"), ("joint entropy", "entropy"),
        ):  # fmt: skip
            wanted = float(graycoprops(mean, theirs)[0, 0])
            # Theirs is in nats.
            wanted = wanted / np.log(2) if theirs == "entropy" else wanted
            assert column(found, name)[at] == pytest.approx(wanted, rel=1e-6)


def test_first_order_equals_the_peer(pixels: np.ndarray) -> None:
    flat = pixels.reshape(4, -1).astype(float)
    found = radiomic_features(pixels)
    for name, wanted in (
        ("mean", flat.mean(1)), ("standard deviation", flat.std(1)), ("skewness", skew(flat, axis=1)),
        ("kurtosis", kurtosis(flat, axis=1, fisher=False)), ("median", np.median(flat, axis=1)),
    ):  # fmt: skip
        assert column(found, name) == pytest.approx(wanted)


def test_flat_image_has_finite_features() -> None:
    found = radiomic_features(np.full((2, 12, 12), 0.5, np.float32))
    assert np.isfinite(found).all()
    assert column(found, "entropy").tolist() == [0, 0]
    assert radiomic_features(np.zeros((0, 12, 12), np.float32)).shape == (0, len(NAMES))
