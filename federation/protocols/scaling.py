"""Numbers as integers: a value is counted in the codebook's recording steps from its minimum.

Belongs here: the scale of a column and going back. Sums of such integers are exact, so a statistic of shares equals the
pooled one to the last digit. Does not belong here: fixed point of computed figures (``division``).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from records.errors import ParameterError
from records.schema import Column, Kind

UNRECORDED_STEPS = 2**16
MOST_STEPS = 2**24
MOST_STEPS_OF_PRODUCTS = 2**18  # sums of products of 4 million patients stay below 2^58


@dataclass(frozen=True)
class Scale:
    """``value = minimum + step * integer``, integers from 0 to ``span``."""

    name: str
    minimum: float
    step: float
    span: int

    @classmethod
    def of(cls, column: Column) -> "Scale":
        """The scale of a numeric column: its step, 1 for integers, else 1/65536 of its range.

        Raises
        ------
        ParameterError
            The column holds no numbers, or too many steps.
        """
        if not column.numeric or column.minimum is None or column.maximum is None:
            raise ParameterError(f"{column.name} must hold numbers, got {column.kind}; choose a numeric column")
        width = column.maximum - column.minimum
        step = column.step or (1.0 if column.kind is Kind.INTEGER else width / UNRECORDED_STEPS)
        span = int(np.ceil(width / step - 1e-9))
        if span >= MOST_STEPS:
            raise ParameterError(
                f"{column.name} must have fewer than {MOST_STEPS} steps, got {span}; give it a coarser step in the codebook"
            )
        return cls(column.name, float(column.minimum), float(step), span)

    @classmethod
    def for_products(cls, column: Column) -> "Scale":
        """The scale of a column whose products are summed: coarser where millions of them would leave the field."""
        scale = cls.of(column)
        wider = -(-scale.span // MOST_STEPS_OF_PRODUCTS)
        return scale if wider <= 1 else cls(scale.name, scale.minimum, scale.step * wider, -(-scale.span // wider))

    def integers(self, values: pl.Series) -> np.ndarray:
        """Steps above the minimum of values that are known, rounded to the next and kept inside the bounds."""
        numbers = values.cast(pl.Float64).to_numpy()
        return np.clip(np.rint((numbers - self.minimum) / self.step), 0, self.span).astype(np.int64)

    def value(self, integer: float) -> float:
        """The value that stands for a number of steps."""
        return round(self.minimum + self.step * float(integer), 9)
