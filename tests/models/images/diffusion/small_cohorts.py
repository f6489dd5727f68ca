"""Small image cohorts that the tests of this folder share: phantoms of 16 x 16 pixels, and settings of seconds."""

import numpy as np

from models.images.diffusion import Settings
from models.phantoms import PHANTOMS
from records.images import ImageSchema, ImageTable, IntensityUnit, Modality
from records.images.schema import BodyPart, PrivacyUnit
from records.schema import Column, Kind, Role, Schema

QUICK = Settings(
    width=8, grid=8, steps=6, sampling_rate=0.2, draws=2, central_images=4, warm_up_steps=6, plain_steps=50, batch_size=32
)  # fmt: skip


def lesions(patients: int = 80, slices: int = 2, size: int = 16) -> tuple[ImageTable, ImageSchema]:
    """Chest phantoms with masks, several slices a patient."""
    table = PHANTOMS["lung_ct_phantom"](patients, slices=slices, size=(size, size), rng=np.random.default_rng(0))
    malignancy = Column(
        name="malignancy", label="Malignancy", role=Role.OUTCOME, kind=Kind.CATEGORY,
        levels={"none": "None", "benign": "Benign", "malignant": "Malignant"},
    )  # fmt: skip
    age = Column(
        name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, unit="a", minimum=18, maximum=120,
        bins=(50, 65, 80),
    )  # fmt: skip
    diameter = Column(
        name="nodule_diameter", label="Diameter", role=Role.COVARIATE, kind=Kind.NUMBER, unit="mm", minimum=0, maximum=100,
        bins=(3, 8, 15), step=0.1,
    )  # fmt: skip
    schema = ImageSchema(
        name="small_phantom", title="Small phantom", modality=Modality.CT, body_part=BodyPart.CHEST,
        unit=IntensityUnit.HU, window=(-1000, 400), size=(size, size), spacing=table.spacing,
        table=Schema(name="small_phantom", title="Small", columns=(malignancy, age, diameter)), labels=("malignancy",),
        mask={0: "none", 1: "nodule"}, privacy_unit=PrivacyUnit.PATIENT, phantom=True,
    )  # fmt: skip
    return table, schema
