"""One entry of the benchmark, run in a process of its own so that its peak memory is its own.

Belongs here: split, draw, score. Does not belong here: the plan.
"""

from typing import Any

from benchmarks.synthesis.cohorts import split
from benchmarks.synthesis.ours import drawn_by_ours
from benchmarks.synthesis.peer import PeerError, drawn_by_peer
from benchmarks.synthesis.scoring import scores

KEY = ["cohort", "synthesizer", "epsilon", "seed"]


def measured(cohort: str, synthesizer: str, epsilon: float, seed: int) -> dict[str, Any]:
    """Figures by name; a peer that fails leaves its error instead."""
    train, holdout, schema = split(cohort, 0)
    row: dict[str, Any] = dict(zip(KEY, (cohort, synthesizer, epsilon, seed), strict=True))
    package, _, algorithm = synthesizer.partition("-")
    try:
        if algorithm:
            made, cost = drawn_by_peer(package, algorithm, train, schema, epsilon=epsilon, seed=seed)
        else:
            made, cost = drawn_by_ours(synthesizer, train, schema, epsilon=epsilon, seed=seed)
    except PeerError as error:
        return row | {"error": str(error)}
    return row | scores(made, train, holdout, schema) | cost
