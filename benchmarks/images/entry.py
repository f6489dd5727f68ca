"""One entry of the benchmark, run in a process of its own so that its peak memory is its own.

Belongs here: fit, draw, score. Does not belong here: the plan.
"""

import resource
import time
from typing import Any

import numpy as np

from benchmarks.images.cohort import split
from metrics.images.train_test import train_test
from models.images.registry import build
from records.accounting import epsilon_to_rho
from records.images import ImageTable

KEY = ["synthesizer", "epsilon", "seed"]
DELTA = 1e-5
CLASSIFIERS = ("convolutional", "logistic")


def measured(synthesizer: str, epsilon: float, seed: int) -> dict[str, Any]:
    """Figures by name; epsilon 0 stands for no privacy, and ``real`` for the images themselves (TRTR)."""
    train, test, schema = split()
    row: dict[str, Any] = dict(zip(KEY, (synthesizer, epsilon, seed), strict=True))
    made, cost = (train, {}) if synthesizer == "real" else drawn(synthesizer, epsilon, seed)
    report = train_test({"made": made}, test, schema, seeds=[seed], models=CLASSIFIERS)
    return row | {name: report.sides[name]["made"].auc.value for name in CLASSIFIERS} | cost


def drawn(synthesizer: str, epsilon: float, seed: int) -> tuple[ImageTable, dict[str, float]]:
    """As many images as were learnt from, with the time of fit and of drawing 1,000, CPU seconds, and peak memory."""
    train, _, schema = split()
    rng = np.random.default_rng(seed)
    budget = None if epsilon == 0 else epsilon_to_rho(epsilon, DELTA)
    start = time.process_time()
    model = build(synthesizer, delta=DELTA, secure=False).fit(train, schema, budget=budget, rng=rng)
    fitted = time.process_time()
    made = model.sample(len(train), rng=rng)
    each = (time.process_time() - fitted) / len(train)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return made, {"fit_s": fitted - start, "draw_1000_s": 1000 * each, "mib": peak}
