"""What is known of images before any patient is seen: a phantom of the region, or smooth random fields.

Belongs here: drawing images of given classes without data. Does not belong here: the phantoms themselves.

References
----------
Field (1987), JOSA A 4:2379: amplitude of natural images falls about as 1/f.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import polars as pl

from models.images.frequencies import Frequencies
from models.images.seen import Drawn, simulated_columns
from models.phantoms import PHANTOMS
from records.images import BodyPart, ImageSchema, ImageTable, Modality

REGIONS = {
    (BodyPart.CHEST, Modality.CT): "lung_ct_phantom",
    (BodyPart.PROSTATE, Modality.MR): "prostate_t2_phantom",
    (BodyPart.HEAD, Modality.CT): "stroke_ct_phantom",
}
SPREAD, FALL = 0.35, 1.2
ROUNDS = 20


class Prior(Protocol):
    """Draws images of given classes [n]."""

    def __call__(self, classes: np.ndarray, rng: np.random.Generator) -> Drawn: ...


def prior_of(schema: ImageSchema) -> Prior:
    """The phantom of the region and modality, if there is one whose labels are the codebook's; else random fields."""
    simulate = _simulator(schema)
    return _RandomFields(schema) if simulate is None else _PhantomPrior(simulate, schema)


def has_simulator(schema: ImageSchema) -> bool:
    """Whether a phantom shows the region and modality with the codebook's labels: a public fact."""
    return _simulator(schema) is not None


def _simulator(schema: ImageSchema) -> Callable[..., ImageTable] | None:
    simulate = PHANTOMS.get(REGIONS.get((schema.body_part, schema.modality), ""))
    return simulate if simulate is not None and _fits(simulate, schema) else None


def _fits(simulate: Callable[..., ImageTable], schema: ImageSchema) -> bool:
    example = simulate(3, slices=1, size=schema.size, rng=np.random.default_rng(0))
    name = schema.label.name
    return (
        name in example.rows.columns and example.unit is schema.unit
        and set(example.rows[name].unique()) <= set(schema.label.levels)
    )  # fmt: skip


class _PhantomPrior:
    """Phantoms of the classes that the simulator has; of other classes any phantom."""

    def __init__(self, simulate: Callable[..., ImageTable], schema: ImageSchema) -> None:
        self.simulate, self.schema = simulate, schema
        self.levels = {level: number for number, level in enumerate(schema.label.levels)}

    def __call__(self, classes: np.ndarray, rng: np.random.Generator) -> Drawn:
        pixels = np.empty((len(classes), *self.schema.size), np.float32)
        masks = np.zeros(pixels.shape, np.uint8)
        columns = np.zeros((len(classes), simulated_columns(pl.DataFrame(), self.schema).shape[1]))
        left, turn = np.arange(len(classes)), 0
        while len(left):
            made = self.simulate(max(12, int(1.2 * len(left))), slices=1, size=self.schema.size, rng=rng)
            shown = np.array([self.levels[level] for level in made.rows[self.schema.label.name]])
            images, turn = _scaled(made, self.schema), turn + 1
            numbers = simulated_columns(made.rows, self.schema)
            for level in np.unique(classes[left]):
                places = left[classes[left] == level]
                found = np.flatnonzero(shown == level)
                if not len(found) and turn >= ROUNDS:
                    found = np.arange(len(shown))
                taken = places[: len(found)]
                pixels[taken] = images[found[: len(taken)]]
                columns[taken] = numbers[found[: len(taken)]]
                if made.masks is not None:
                    masks[taken] = made.masks[found[: len(taken)]]
                left = np.setdiff1d(left, taken)
        return Drawn(pixels, masks if self.schema.mask else None, columns)


def _scaled(made: ImageTable, schema: ImageSchema) -> np.ndarray:
    low, high = schema.window
    return np.clip((made.pixels - low) * (2 / (high - low)) - 1, -1, 1)


class _RandomFields:
    """Smooth random fields that are alike in all classes, without lesions."""

    def __init__(self, schema: ImageSchema) -> None:
        self.schema = schema
        self.waves = Frequencies(schema.size)
        amplitude = (1 + self.waves.radius) ** -FALL
        self.amplitude = amplitude * SPREAD * np.sqrt(len(self.waves) / (amplitude**2).sum())

    def __call__(self, classes: np.ndarray, rng: np.random.Generator) -> Drawn:
        fields = self.waves.backward(rng.normal(size=(len(classes), len(self.waves))) * self.amplitude)
        pixels = np.clip(fields, -1, 1)
        return Drawn(pixels, np.zeros(pixels.shape, np.uint8) if self.schema.mask else None)
