"""What a codebook of images must say, and which mistakes are told."""

from typing import Any

import pytest
from pydantic import ValidationError

from records.images.schema import BodyPart, ImageSchema, IntensityUnit, Modality
from records.schema import Column, Kind, Role, Schema

FINDING = Column(
    name="finding", label="Finding", role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"no": "None", "yes": "Some"}
)


def made(**changes: Any) -> ImageSchema:
    given = {
        "name": "scans", "title": "Scans", "modality": Modality.DX, "body_part": BodyPart.BREAST, "unit": IntensityUnit.GREY,
        "window": (0, 1), "size": (16, 16), "table": Schema(name="scans", title="Labels", columns=(FINDING,)), "labels": ("finding",),
    }  # fmt: skip
    return ImageSchema(**(given | changes))


def test_a_codebook_may_be_of_any_region() -> None:
    assert all(made(body_part=part.value).body_part is part for part in BodyPart)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"window": (1, 0)}, "low < high"),
        ({"window": (0, 255)}, "shares of the range"),
        ({"window": (0, 4095), "unit": IntensityUnit.RELATIVE}, "divide by the largest"),
        ({"labels": ("age",)}, "must have categorical labels"),
        ({"mask": {1: "lesion"}}, "mask values 0 to 255 with 0"),
        ({"phantom": True}, "must say phantom"),
    ],
)
def test_mistakes_are_told(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        made(**changes)


def test_hounsfield_units_have_no_such_bound() -> None:
    assert made(window=(-1000, 400), unit=IntensityUnit.HU).window == (-1000, 400)
