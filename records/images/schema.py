"""What is publicly known about an image cohort: modality, bounds of intensity, size, labels, masks, privacy unit.

Belongs here: what an image and its row *mean*, read from a codebook and never from the data. Does not belong here:
pixels (``table``), checking them (``validation``), or where files lie (``use_cases.images``).

References
----------
DICOM PS3.3 C.7.3.1.1.1 (modality) and C.7.6.3.1.2 (photometric interpretation). UCUM for units.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from records.schema import Column, Frozen, Kind, Role, Schema


class Modality(StrEnum):
    """DICOM modality codes of the images we know."""

    CT = "CT"
    MR = "MR"
    DX = "DX"


WIDEST_SHARE = (
    2.0  # brighter than the 99.5th percentile, which is 1, may be kept; stored values of 8 bits are not meant
)


class IntensityUnit(StrEnum):
    """What a pixel's number means.

    ``HU``: Hounsfield units. ``relative``: the series' own 0.5th and 99.5th percentiles are 0 and 1 (MR has no
    absolute scale). ``grey``: share of the stored range, 0 black to 1 white.
    """

    HU = "HU"
    RELATIVE = "relative"
    GREY = "grey"


class PrivacyUnit(StrEnum):
    """Whose presence differential privacy hides: a patient with all slices, or one image where no patient is known."""

    PATIENT = "patient"
    IMAGE = "image"


class BodyPart(StrEnum):
    """Region shown (DICOM PS3.16 Annex L); a head can be recognised and is loaded only if its face was removed."""

    ABDOMEN = "abdomen"
    BREAST = "breast"
    CHEST = "chest"
    HEAD = "head"
    HEART = "heart"
    KIDNEY = "kidney"
    KNEE = "knee"
    LIVER = "liver"
    PELVIS = "pelvis"
    PROSTATE = "prostate"
    SPINE = "spine"


class Refusing(StrEnum):
    """What a bad series does: it alone is refused, or the whole cohort is."""

    SERIES = "series"
    COHORT = "cohort"


def _positive_pair(pair: tuple[float, float]) -> tuple[float, float]:
    if min(pair) <= 0:
        raise ValueError(f"both numbers must be above 0, got {pair}; mend the codebook")
    return pair


class ImageSchema(Frozen):
    """All that is publicly known about an image cohort.

    Parameters
    ----------
    window : (float, float)
        Public bounds of intensity in ``unit``; pixels are cut to them. Never from the data.
    size : (int, int)
        Height and width in pixels.
    spacing : (float, float) or None
        Height and width of a pixel, mm. None for pictures of unknown scale, which are fitted to ``size``.
    table : Schema
        Labels and clinical columns of a row, without an identifier: several slices may have one patient.
    labels : tuple of str
        Categorical columns of ``table`` that say what is on the slice, the main one first.
    mask : mapping of int to str
        Meaning of each mask value, 0 included; empty where the cohort has no masks.
    minimum_slices : int
        Series with fewer are refused.
    phantom : bool
        Whether the images are simulated from published figures. A phantom says so in its name and title.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    modality: Modality
    body_part: BodyPart
    unit: IntensityUnit
    window: tuple[float, float]
    size: tuple[Annotated[int, Field(ge=8, le=1024)], Annotated[int, Field(ge=8, le=1024)]]
    spacing: Annotated[tuple[float, float], AfterValidator(_positive_pair)] | None = None
    table: Schema
    labels: tuple[str, ...] = Field(min_length=1)
    mask: Mapping[int, str] = Field(default_factory=dict)
    privacy_unit: PrivacyUnit = PrivacyUnit.PATIENT
    minimum_slices: int = Field(default=1, ge=1)
    refusing: Refusing = Refusing.SERIES
    phantom: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.window[0] < self.window[1]:
            raise ValueError(f"{self.name} must have a window low < high, got {self.window}; mend the codebook")
        if self.unit is not IntensityUnit.HU and max(map(abs, self.window)) > WIDEST_SHARE:
            raise ValueError(
                f"{self.name} must have a window in shares of the range (0 black, 1 white) as its unit is {self.unit.value}, got "
                f"{self.window}; divide by the largest value that can be stored"
            )
        if wrong := [name for name in self.labels if not self._is_category(name)]:
            raise ValueError(f"{self.name} must have categorical labels, got {wrong}; mend the codebook")
        if self.table.with_role(Role.IDENTIFIER):
            raise ValueError(f"{self.name} must have no identifier in its table; the patient is a column of its own")
        if self.mask and (0 not in self.mask or not set(self.mask) <= set(range(256))):
            raise ValueError(f"{self.name} must name mask values 0 to 255 with 0; mend the codebook")
        if self.phantom != ("phantom" in self.name and "phantom" in self.title.lower()):
            raise ValueError(f"{self.name} must say phantom in name and title if, and only if, it is one")
        return self

    def _is_category(self, name: str) -> bool:
        return name in self.table.names and self.table[name].kind is Kind.CATEGORY

    @property
    def label(self) -> Column:
        """The main label."""
        return self.table[self.labels[0]]

    @property
    def clinical(self) -> tuple[Column, ...]:
        """Columns that are not labels."""
        return tuple(column for column in self.table.columns if column.name not in self.labels)
