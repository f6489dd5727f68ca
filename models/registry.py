"""Synthesizers by name.

Belongs here: the names that run configuration may use. Does not belong here: choosing among private selections, which
``auto`` does after its first noisy counts (``graphical_synthesizer``).
"""

from collections.abc import Sequence

from models.copula import CopulaSynthesizer
from models.graphical_synthesizer import SELECTIONS, GraphicalSynthesizer
from records.errors import ParameterError
from records.protocols import Synthesizer

PRIVATE = (*SELECTIONS, "transformer")
NAMES = (*PRIVATE, "trees", "copula")


def build(name: str, *, delta: float, marginals: Sequence[Sequence[str]] = ()) -> Synthesizer:
    """A synthesizer that is not fitted yet; ``declared`` measures ``marginals``.

    Raises
    ------
    ParameterError
        The name is unknown.
    """
    if name == "copula":
        return CopulaSynthesizer()
    if name == "trees":
        from models.trees import TreeSynthesizer

        return TreeSynthesizer()
    if name == "transformer":
        from models.autoregressive import TransformerSynthesizer

        return TransformerSynthesizer(delta=delta)
    if name not in SELECTIONS:
        raise ParameterError(f"synthesizer must be one of {', '.join(NAMES)}, got {name}; choose one of these")
    if (name == "declared") != bool(marginals):
        raise ParameterError(
            f"marginals must be given for the synthesizer declared and for no other, got {len(marginals)} for {name}; "
            "name the columns that your analysis uses together"
        )
    return GraphicalSynthesizer(selection=name, delta=delta, marginals=marginals)
