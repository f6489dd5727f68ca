"""The label test: its level is exact, and labels that mean something pass."""

import numpy as np
import pytest
from scipy.stats import binomtest, mannwhitneyu

from hub.valuation.features import labelled
from hub.valuation.label_test import _p_value, label_p_values
from hub.valuation.nearest import Labelled, together
from tests.hub.valuation.people import SCHEMA, of_nobody, patients, shuffled


def test_p_values_are_those_of_scipy() -> None:
    rng = np.random.default_rng(2)
    risk, labels = np.round(rng.normal(size=60), 1), rng.integers(0, 2, 60)
    published = mannwhitneyu(risk[labels == 1], risk[labels == 0], alternative="greater", method="asymptotic").pvalue
    assert abs(_p_value(risk, labels, 20_000, rng) - published) < 0.02


@pytest.mark.slow
def test_random_labels_pass_as_often_as_the_level_says() -> None:
    passed, markets = 0, 150
    for seed in range(markets):
        p = p_values(patients(seed, 60), shuffled(patients(seed + 5000, 40), seed), seed=seed)
        passed += p[1] <= 0.1
    assert binomtest(passed, markets, 0.1, alternative="greater").pvalue > 0.001


def test_honest_labels_pass_and_one_class_does_not() -> None:
    p = p_values(patients(1, 120), patients(2, 120), seed=3)
    assert (p <= 0.01).all()
    constant = patients(3, 40).filter(patients(3, 40)["case"].cast(str) == "1")
    assert p_values(patients(1, 60), constant, seed=3)[1] == 1


def p_values(*frames, seed: int) -> np.ndarray:
    held: list[Labelled] = [labelled(frame, SCHEMA, SCHEMA.outcomes[0])[0] for frame in frames]
    owner = np.repeat(np.arange(len(held)), [h.rows for h in held])
    credit = (owner == np.arange(len(held))[:, None]).astype(float)
    return label_p_values(together(held), of_nobody(seed), credit, 199, np.random.default_rng(seed))
