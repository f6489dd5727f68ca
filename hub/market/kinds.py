"""What may be sold: artefacts that passed the gate, services that make such artefacts, and computations of several hospitals.

Belongs here: the closed list. Does not belong here: real data, which no price is put on (``fees``).
"""

from enum import StrEnum


class Kind(StrEnum):
    """What is listed. Tables, images, models and answers are artefacts; synthesis and computations are services."""

    TABLE = "synthetic_table"
    IMAGES = "image_set"
    MODEL = "model"
    ANSWER = "aggregate_answer"
    SYNTHESIS = "synthesis"
    COMPUTATION = "computation"

    @property
    def service(self) -> bool:
        """Whether it is made when it is ordered."""
        return self in (Kind.SYNTHESIS, Kind.COMPUTATION)


WORDS = {
    Kind.TABLE: "Synthetic table", Kind.IMAGES: "Image set", Kind.MODEL: "Model", Kind.ANSWER: "Aggregate answer",
    Kind.SYNTHESIS: "Synthesis on demand", Kind.COMPUTATION: "Computation of several hospitals",
}  # fmt: skip
ARTEFACTS = tuple(kind for kind in Kind if not kind.service)
