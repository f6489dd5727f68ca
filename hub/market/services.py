"""How a service is made for a buyer: the method, its bounds and its privacy.

Belongs here: the settings of a service as a checked value. Does not belong here: placing orders (``fulfilment``).
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hub.access.offers import FORMATS, MAX_EPSILON, MAX_ROWS, SYNTHESIZERS
from hub.market.sent import wrong_fields
from records.errors import ParameterError

DELTA = 1e-5


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


def read_service(values: Any) -> Synthesis:
    """A service from a form or from JSON.

    Raises
    ------
    ParameterError
        A field is wrong; the message names it.
    """
    try:
        return Synthesis.model_validate(values)
    except ValidationError as error:
        raise ParameterError(f"a service must be well formed, got {wrong_fields(error)}; mend these fields") from error
