"""The codebook of an image cohort: its schema, its source, the layout of its files and which slices are wanted.

Belongs here: public knowledge read from YAML. Does not belong here: reading images.
"""

from enum import StrEnum
from pathlib import Path
from typing import Self

import polars as pl
from pydantic import model_validator

from records.codebook_file import read_codebook_file
from records.images import ImageSchema
from records.schema import Frozen
from use_cases.cohort import Cohort, Sites, Source


class Layout(StrEnum):
    """How the cohort's files lie."""

    DICOM = "dicom"
    LISTED = "listed"
    LIDC = "lidc"
    PI_CAI = "pi_cai"
    ISLES = "isles"
    MEDMNIST = "medmnist"
    PHANTOM = "phantom"


class SliceRule(StrEnum):
    """Which slices of a series are kept."""

    ALL = "all"
    MIDDLE = "middle"
    MASK = "mask"
    EVERY = "every"


class Slices(Frozen):
    """The slice rule; ``every`` is the step in mm of the rule of that name."""

    rule: SliceRule = SliceRule.ALL
    every: float | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.rule is SliceRule.EVERY) != (self.every is not None and self.every > 0):
            raise ValueError("slices must give every > 0 mm with the rule every, and only then; mend the codebook")
        return self


class ImageCohort(Frozen):
    """An image cohort's registry entry.

    Parameters
    ----------
    series_description : str or None
        Regular expression (case ignored) that the DICOM series description must contain: ``t2.*tra``.
    defacing : str or None
        Who removed the faces and how, where heads are shown: without it, and without a statement in the files
        themselves, a head is refused.
    """

    image: ImageSchema
    source: Source
    layout: Layout
    slices: Slices = Slices()
    series_description: str | None = None
    defacing: str | None = None
    folder: Path

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.image.phantom != (self.layout is Layout.PHANTOM):
            raise ValueError(f"{self.name} must have the layout phantom if, and only if, it is one")
        if self.slices.rule is SliceRule.MASK and not self.image.mask:
            raise ValueError(f"{self.name} must have a mask to choose slices by it; mend the codebook")
        return self

    @property
    def name(self) -> str:
        """The cohort's name."""
        return self.image.name

    def harmonise(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Columns as published, renamed and recoded to the codebook; others dropped."""
        table = Cohort(table=self.image.table, source=self.source, sites=Sites(), folder=self.folder)
        return table.harmonise(raw)


def load_image_codebook(path: Path) -> ImageCohort:
    """Read one YAML codebook of an image cohort.

    Raises
    ------
    CodebookError
        It is not a valid codebook; the message says which entry.
    """
    return read_codebook_file(path, lambda entry: ImageCohort(**entry, folder=path.parent), "image codebook")
