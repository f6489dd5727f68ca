"""How a service is made for a buyer: the method, its bounds and its privacy.

Belongs here: the settings of a service as a checked value. Does not belong here: placing orders (``fulfilment``).
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.access.offers import FORMATS, MAX_EPSILON, MAX_ROWS, SYNTHESIZERS
from hub.computations.description import ColumnName
from hub.computations.kinds import KINDS, Noise
from hub.market.sent import well_formed

DELTA = 1e-5
MOST_COLUMNS = 200


class Synthesis(BaseModel):
    """A table made on demand; ``epsilon`` holds unless the buyer chooses it by buying budget at ``delta``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    synthesizer: str = "auto"
    epsilon: Annotated[float, Field(gt=0, le=MAX_EPSILON)] = 1.0
    delta: Annotated[float, Field(gt=0, le=0.001)] = DELTA
    max_rows: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 5000
    formats: tuple[str, ...] = ("parquet", "csv")

    @field_validator("synthesizer")
    @classmethod
    def _method(cls, name: str) -> str:
        if name not in SYNTHESIZERS:
            raise ValueError("must be one of the pipeline's methods")
        return name

    @field_validator("formats")
    @classmethod
    def _forms(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or not set(names) <= set(FORMATS):
            raise ValueError("must be among the pipeline's formats")
        return tuple(sorted(set(names)))


class Compute(BaseModel):
    """Computations by the hospitals' own parties.

    Parameters
    ----------
    kinds : tuple of str
        Which (``hub.computations.kinds.KINDS``).
    columns : tuple of str
        On which variables; empty: all of the data set.
    epsilon : float
        At most, of each order of a kind that has noise.
    minimum_count : int
        Smaller counts are suppressed inside the protocol; a buyer may ask for a larger one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: Annotated[tuple[str, ...], Field(min_length=1, max_length=len(KINDS))]
    columns: Annotated[tuple[ColumnName, ...], Field(max_length=MOST_COLUMNS)] = ()
    epsilon: Annotated[float, Field(gt=0, le=MAX_EPSILON)] = 1.0
    minimum_count: Annotated[int, Field(ge=1, le=1_000_000)] = 10

    @field_validator("kinds")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not set(names) <= set(KINDS):
            raise ValueError("must be among the kinds of computations")
        return tuple(name for name in KINDS if name in names)

    @property
    def exact(self) -> tuple[str, ...]:
        """Kinds that may be answered without noise: always, or unless the buyer asks for noise."""
        return tuple(name for name in self.kinds if KINDS[name].noise is not Noise.ALWAYS)


def read_compute(values: Any) -> Compute:
    """A service of computations from a form or from JSON.

    Raises
    ------
    ParameterError
        A field is wrong; the message names it.
    """
    with well_formed("a service"):
        return Compute.model_validate(values)


def read_service(values: Any) -> Synthesis:
    """A service from a form or from JSON.

    Raises
    ------
    ParameterError
        A field is wrong; the message names it.
    """
    with well_formed("a service"):
        return Synthesis.model_validate(values)
