"""Exponential tilting against what is known in closed form."""

import numpy as np
import pytest

from models.images.tilting import effective_share, shrunk, slopes


@pytest.mark.parametrize("mean", [-0.5, 0.3])
def test_a_normal_distribution_is_moved(mean: float) -> None:
    """Of the distributions with another mean, the nearest to N(0, 1) in Kullback-Leibler divergence is N(mean, 1)."""
    sample = np.random.default_rng(0).normal(size=(200_000, 2))
    found = slopes(sample, np.array([mean, 0.0]), np.zeros(2))
    assert found == pytest.approx([mean, 0], abs=0.01)
    # Kish's share of importance weights between N(0, 1) and N(mean, 1) is exp(-mean^2)
    assert effective_share(sample @ found) == pytest.approx(np.exp(-(mean**2)), abs=0.02)


def test_a_widened_normal_distribution() -> None:
    """N(0, v) is N(0, 1) tilted by x^2 (1 - 1/v) / 2."""
    sample = np.random.default_rng(1).normal(size=(400_000, 1)) ** 2
    assert slopes(sample, np.array([0.2]), np.zeros(1)) == pytest.approx([(1 - 1 / 1.2) / 2], abs=0.01)


def test_what_is_not_known_is_not_met() -> None:
    sample = np.random.default_rng(2).normal(size=(10_000, 1))
    surest, unsure = (slopes(sample, np.array([0.4]), np.array([v]))[0] for v in (0.0, 1.0))
    assert unsure == pytest.approx(surest / 2, rel=0.05)


def test_noise_alone_moves_little_and_a_change_stays() -> None:
    rng, unsure = np.random.default_rng(3), np.full(80, 0.01)
    noise = rng.normal(0, 0.1, (500, 80))
    left = np.array([np.square(shrunk(one, unsure, [40, 40])).sum() for one in noise])
    assert left.mean() < 0.1 * np.square(noise).sum(axis=1).mean()
    changed = noise[0] + np.repeat([1.0, 0.0], 40)
    kept = shrunk(changed, unsure, [40, 40])
    assert np.abs(kept[:40] - 1).mean() < 0.15
    assert np.abs(kept[40:]).max() < 0.15


def test_numbers_without_variance_stay() -> None:
    assert shrunk(np.zeros(3), np.zeros(3), [3]).tolist() == [0, 0, 0]
