"""Simulated patients and their slices: who has how many, and one draw per patient repeated over the slices.

Belongs here: what all phantoms share about patients. Does not belong here: anatomy.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.phantoms.shapes import Array, Canvas, blocks
from records.errors import ParameterError
from records.images import INDEX, PATIENT, SERIES, SLICE, STUDY

SLICE_GAP = 2.5
REFERENCE = 64  # points a side for which a phantom states its spacing


def scene(
    patients: int, slices: int, size: tuple[int, int], spacing: tuple[float, float], rng: np.random.Generator
) -> tuple["Patients", Canvas]:
    """Patients and the canvas of all their slices; ``spacing`` is that of 64 x 64 points, the field of view is fixed.

    Raises
    ------
    ParameterError
        Nothing is asked for.
    """
    people = Patients(patients, slices, rng)
    spacing = (spacing[0] * REFERENCE / size[0], spacing[1] * REFERENCE / size[1])
    return people, Canvas(len(people), size, spacing, rng)


class Patients:
    """Draws per patient, shape [n, 1, 1], equal on all slices of a patient.

    Parameters
    ----------
    count, slices : int
        Patients, and slices of each, ``SLICE_GAP`` mm apart about the middle of the lesion.
    """

    def __init__(self, count: int, slices: int, rng: np.random.Generator) -> None:
        if min(count, slices) < 1:
            raise ParameterError(f"patients and slices must be at least 1, got {count} and {slices}; ask for more")
        self.count, self.slices, self.rng = count, slices, rng
        # slice by slice, mm from the middle
        middle = (slices - 1) / 2
        self.z = self.column(np.tile((np.arange(slices) - middle) * SLICE_GAP, count))

    def __len__(self) -> int:
        return self.count * self.slices

    @staticmethod
    def column(values: NDArray[Any]) -> Array:
        """Values [n] as [n, 1, 1]."""
        return np.asarray(values, np.float32)[:, None, None]

    def each(self, values: NDArray[Any]) -> Array:
        """Values of patients [count] over their slices, [n, 1, 1]."""
        return self.column(np.repeat(values, self.slices))

    def normal(self, mean: float, sd: float) -> Array:
        """A normal draw per patient, cut at 2.5 standard deviations."""
        return self.each(mean + sd * np.clip(self.rng.standard_normal(self.count), -2.5, 2.5))

    def uniform(self, low: float, high: float) -> Array:
        """A uniform draw per patient."""
        return self.each(self.rng.uniform(low, high, self.count))

    def wobble(self, canvas: Canvas, size: float, cx: Array | float, cy: Array | float, waves: int = 6) -> Array:
        """Swelling of an edge around (cx, cy): waves 2 to ``waves`` round, as a share of the radius, [n, H, W]."""
        drawn = [(self.uniform(0, 2 * np.pi), self.normal(0, size / k)) for k in range(2, waves + 1)]
        cosines = [height * np.cos(phase) for phase, height in drawn]
        sines = [height * np.sin(phase) for phase, height in drawn]
        cx, cy = (np.broadcast_to(np.asarray(value, np.float32), (len(self), 1, 1)) for value in (cx, cy))
        swell = np.zeros(canvas.shape, np.float32)
        for part in blocks(len(self)):
            dx, dy = canvas.x - cx[part], canvas.y - cy[part]
            once = ((dx + 1j * dy) / np.maximum(np.hypot(dx, dy), 1e-3)).astype(np.complex64)
            turned = once
            for cosine, sine in zip(cosines, sines, strict=True):
                turned = turned * once
                swell[part] += cosine[part] * turned.real - sine[part] * turned.imag
        return swell

    def rows(self, name: str, **columns: NDArray[Any] | list[Any]) -> pl.DataFrame:
        """Index columns, with pseudonyms that say what they are, and the given columns of length n."""
        owners = np.repeat(np.arange(self.count), self.slices)
        index = {
            PATIENT: [f"{name}-{i:06d}" for i in owners], STUDY: [1] * len(self), SERIES: [1] * len(self),
            SLICE: np.tile(np.arange(self.slices), self.count),
        }  # fmt: skip
        return pl.DataFrame(index, schema=INDEX).hstack(pl.DataFrame(columns))
