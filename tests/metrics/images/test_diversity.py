"""SSIM over scales against pytorch-msssim and scikit-image, and a generator that repeats itself."""

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from metrics.images.diversity import mean_similarity, scales, similarity


def smooth(count: int, side: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).random((count, side, side))
    blurred = gaussian_filter(drawn, (0, 2, 2))
    return ((blurred - blurred.min()) / np.ptp(blurred)).astype(np.float32)


@pytest.mark.parametrize("side", [176, 181])
def test_five_scales_equal_the_peer(side: int) -> None:
    one, noise = smooth(3, side, 0), smooth(3, side, 1)
    other = (0.6 * one + 0.4 * noise).astype(np.float32)
    theirs = ms_ssim(*(torch.from_numpy(x)[:, None] for x in (one, other)), data_range=1, size_average=False)
    assert scales((side, side)) == 5
    assert similarity(one, other) == pytest.approx(theirs.numpy(), abs=1e-4)


def test_one_scale_equals_the_peer() -> None:
    one = smooth(1, 20, 0)[0]
    other = (0.6 * one + 0.4 * smooth(1, 20, 1)[0]).astype(np.float32)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    whole = structural_similarity(one.astype(float), other.astype(float), full=True, **settings)[1]
    # Theirs pads the borders, which ours leaves out.
    assert scales((20, 20)) == 1
    assert similarity(one[None], other[None])[0] == pytest.approx(whole[5:-5, 5:-5].mean(), abs=1e-4)


def test_a_generator_that_repeats_itself_is_less_diverse() -> None:
    rng = np.random.default_rng(0)
    many, few = smooth(60, 28, 0), smooth(60, 28, 0)[np.arange(60) % 3]
    varied, repeated = (mean_similarity(x, np.arange(60), rng) for x in (many, few))
    assert repeated.lower > varied.upper


def test_pairs_are_of_different_patients() -> None:
    rng = np.random.default_rng(0)
    twins = np.repeat(smooth(2, 28, 0), 10, axis=0)
    apart = mean_similarity(twins, np.repeat([0, 1], 10), rng)
    assert apart.value == pytest.approx(similarity(twins[:1], twins[-1:])[0], abs=1e-6)
    assert np.isnan(mean_similarity(twins, np.zeros(20), rng).value)
