"""Running our synthesizers and the references, in a process of their own so that memory is theirs.

Belongs here: fit, draw, cost. Does not belong here: scores.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from models.registry import build
from records.accounting import epsilon_to_rho
from records.schema import Schema


def drawn_by_ours(
    name: str, train: pl.DataFrame, schema: Schema, *, epsilon: float, seed: int
) -> tuple[pl.DataFrame, dict[str, float]]:
    """As many rows as ``train`` has, with noise from the operating system, and what the fit cost."""
    rng = np.random.default_rng(seed)
    if name == "real":
        return train, {}
    if name == "independent":
        return train.select(pl.col(c).shuffle(seed + i) for i, c in enumerate(train.columns)), {}
    start = time.process_time()
    budget = epsilon_to_rho(epsilon, 1e-5) if epsilon else None
    model = build(name, delta=1e-5).fit(train, schema, budget=budget, rng=rng)
    seconds = time.process_time() - start
    return model.sample(train.height, rng=rng), {"cpu_s": seconds, "mib": peak_mib()}


def peak_mib() -> int:
    """Most resident memory of this program so far; on Linux ``ru_maxrss`` counts the starting process too."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 * 1024)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024
