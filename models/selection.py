"""What a selection of marginals has measured and paid, and the part that looks at public facts only.

Belongs here: the record of measurements and mechanisms, joint measurement with equal noise. Does not belong here:
selection that looks at the data (``aim``, ``mst``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.attributes import FOLLOW_UP
from models.estimation import Measurement
from models.junction_tree import Clique
from models.workload import public_start
from records.accounting import sigma_for
from records.privacy import Mechanism
from records.protocols import MarginalOracle

FOLLOW_UP_SHARE = 0.2
DECLARED_SHARE = 0.8


@dataclass
class Selection:
    """Measurements and what they cost."""

    measurements: list[Measurement] = field(default_factory=list)
    mechanisms: list[Mechanism] = field(default_factory=list)

    @property
    def rho(self) -> float:
        """zCDP spent so far."""
        return sum(m.rho for m in self.mechanisms)

    def __add__(self, other: "Selection") -> "Selection":
        return Selection(self.measurements + other.measurements, self.mechanisms + other.mechanisms)


def start(oracle: MarginalOracle, levels: Mapping[str, int], task: str | None, *, rho: float) -> Selection:
    """Measure what every selection begins with; follow-up, on which survival rests, for a fifth of ``rho``."""
    starred = public_start(levels, task)
    if FOLLOW_UP not in levels:
        return measure_together(oracle, starred, rho, "class x covariate counts")
    followed = measure_together(oracle, [(FOLLOW_UP,)], FOLLOW_UP_SHARE * rho, "follow-up counts")
    return followed + measure_together(oracle, starred, (1 - FOLLOW_UP_SHARE) * rho, "class x covariate counts")


def declared(oracle: MarginalOracle, levels: Mapping[str, int], wanted: Sequence[Clique], *, rho: float) -> Selection:
    """Measure the marginals that an analysis names for four fifths of ``rho``, and all other attributes alone."""
    held = {name for clique in wanted for name in clique}
    rest = [(name,) for name in levels if name not in held]
    share = DECLARED_SHARE if rest else 1.0
    done = measure_together(oracle, list(wanted), share * rho, "declared counts")
    return done + measure_together(oracle, rest, rho - done.rho, "one-way counts") if rest else done


def measure_together(oracle: MarginalOracle, cliques: list[Clique], rho: float, purpose: str) -> Selection:
    """Measure ``cliques`` with equal noise for ``rho`` in all."""
    sigma = sigma_for(rho, len(cliques))
    measured = [
        Measurement(c, counts, sigma)
        for c, counts in zip(cliques, oracle.measure_all(cliques, sigma=sigma), strict=True)
    ]
    return Selection(measured, [Mechanism("discrete Gaussian", purpose, rho, len(cliques), sigma)])
