"""Synthesizers by name.

Belongs here: the names that run configuration may use. Does not belong here: choosing among them.
"""

from models.copula import CopulaSynthesizer
from models.marginals import MarginalSynthesizer
from records.errors import ParameterError

NAMES = ("marginals", "copula")


def build(name: str, *, delta: float) -> MarginalSynthesizer | CopulaSynthesizer:
    """A synthesizer that is not fitted yet."""
    if name not in NAMES:
        raise ParameterError(f"synthesizer must be one of {', '.join(NAMES)}, got {name}; choose one of these")
    return MarginalSynthesizer(delta=delta) if name == "marginals" else CopulaSynthesizer()
