"""What the schema makes impossible, as log-potentials.

Belongs here: structural zeros of a graphical model. Does not belong here: constraints on exact values (``rows``).
"""

import numpy as np

from models.attributes import CLASS, FOLLOW_UP, class_attribute, class_of_follow_up
from models.graphical_model import IMPOSSIBLE, Labelled
from records.schema import Schema


def structural_zeros(schema: Schema) -> list[Labelled]:
    """Log-potentials that allow only the class that follow-up implies."""
    if class_attribute(schema) != CLASS:
        return []
    of_follow_up = class_of_follow_up(schema)
    allowed = of_follow_up[:, None] == np.arange(int(of_follow_up.max()) + 1)
    return [(np.where(allowed, 0.0, IMPOSSIBLE), (FOLLOW_UP, CLASS))]
