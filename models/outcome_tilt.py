"""Tilting drawn histories so that follow-up ends how and when it was counted to end.

Belongs here: the weights of ends of follow-up, and drawing by them. Does not belong here: the histories themselves
(``trajectory_sampler``).

Each step of a history is learnt apart, and small errors add up over years. Of all distributions of histories that meet
the counted ends, the one closest to the drawn ones (in relative entropy, with baseline as it is) weighs a history by
a factor that depends on its end alone (Csiszar, 1975); iterative scaling finds the factors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from models.additive_logit import AdditiveLogit, drawn
from models.event_tokens import Codes, end_level
from models.first_visit import draw_first
from models.trajectory_sampler import Histories, histories
from records.longitudinal import LongitudinalSchema

PATIENTS, CANDIDATES, ROUNDS = 1000, 16, 10
STRONGEST = 20.0


@dataclass(frozen=True)
class Tilt:
    """Log-weight of each level of how and when follow-up ended, shape (event levels * follow-up levels,)."""

    schema: LongitudinalSchema
    log_weight: np.ndarray

    @classmethod
    def towards(
        cls, shares: np.ndarray, logits: Mapping[str, AdditiveLogit], schema: LongitudinalSchema,
        rng: np.random.Generator,
    ) -> Self:  # fmt: skip
        """Weights that bring ends to ``shares``, each at most 20 times up or down."""
        first = _repeated(draw_first(logits, schema, PATIENTS, None, rng), CANDIDATES)
        found = histories(logits, first, schema, rng)
        ends = end_level(found.event, found.end, schema).reshape(PATIENTS, CANDIDATES)
        log_weight, most = np.zeros(shares.size), np.log(STRONGEST)
        for _ in range(ROUNDS):
            raised = np.exp(log_weight[ends])
            chance = raised / raised.sum(axis=1, keepdims=True) / PATIENTS
            now = np.bincount(ends.ravel(), weights=chance.ravel(), minlength=shares.size)
            floor = 0.1 / (PATIENTS * CANDIDATES)
            log_weight += np.log(np.maximum(shares, floor) / np.maximum(now, floor))
            log_weight = np.clip(log_weight, -most, most)
        return cls(schema, log_weight)

    def drawn(self, logits: Mapping[str, AdditiveLogit], first: Codes, rng: np.random.Generator) -> Histories:
        """One history for each row of ``first``: 16 are drawn and one is kept by its weight."""
        found = histories(logits, _repeated(first, CANDIDATES), self.schema, rng)
        ends = end_level(found.event, found.end, self.schema).reshape(-1, CANDIDATES)
        kept = np.arange(len(ends)) * CANDIDATES + drawn(self.log_weight[ends], rng)
        new = np.full(found.end.size, -1)
        new[kept] = np.arange(kept.size)
        rows = new[found.patient] >= 0
        codes = {name: levels[rows] for name, levels in found.codes.items()}
        return Histories(new[found.patient][rows], found.day[rows], codes, found.end[kept], found.event[kept])


def _repeated(first: Codes, times: int) -> Codes:
    return {name: np.repeat(levels, times) for name, levels in first.items()}
