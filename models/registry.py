"""Synthesizers by name.

Belongs here: the names that run configuration may use. Does not belong here: choosing among private selections, which
``auto`` does after its first noisy counts (``graphical_synthesizer``).
"""

from models.copula import CopulaSynthesizer
from models.graphical_synthesizer import SELECTIONS, GraphicalSynthesizer
from records.errors import ParameterError
from records.protocols import Synthesizer

NAMES = (*SELECTIONS, "copula")


def build(name: str, *, delta: float) -> Synthesizer:
    """A synthesizer that is not fitted yet.

    Raises
    ------
    ParameterError
        The name is unknown.
    """
    if name == "copula":
        return CopulaSynthesizer()
    if name not in SELECTIONS:
        raise ParameterError(f"synthesizer must be one of {', '.join(NAMES)}, got {name}; choose one of these")
    return GraphicalSynthesizer(selection=name, delta=delta)
