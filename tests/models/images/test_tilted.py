"""Simulated images weighted by noisy moments: where the simulator is right, where it is wrong, and columns."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.images.noisy_sums import NoisySums
from models.images.registry import build
from models.images.seen import Seen, seen
from models.images.tilted import TiltedImages
from models.phantoms import PHANTOMS
from records.accounting import epsilon_to_rho
from records.errors import ParameterError
from records.images import ImageSchema, ImageTable
from use_cases.images import load_image_codebook

pytestmark = pytest.mark.slow

USE_CASES = Path(__file__).parents[3] / "use_cases"
PATIENTS, SIDE = 600, 32


@pytest.fixture(scope="module")
def schema() -> ImageSchema:
    found = load_image_codebook(USE_CASES / "prostate" / "prostate_t2_phantom.yaml").image
    return found.model_copy(update={"size": (SIDE, SIDE), "spacing": (3.0, 3.0)})


@pytest.fixture(scope="module")
def patients(schema: ImageSchema) -> ImageTable:
    made = PHANTOMS[schema.name](PATIENTS, slices=1, size=schema.size, rng=np.random.default_rng(1))
    zone = pl.col("zone").cast(pl.Enum(list(schema.label.levels)))
    return ImageTable(
        made.rows.with_columns(zone), made.pixels, made.unit, schema.spacing, masks=made.masks, phantom=True
    )


def learnt(looked_at: Seen, rho: float | None = 0.5) -> TiltedImages:
    family, rng = TiltedImages(pool=900), np.random.default_rng(2)
    family.learn(looked_at, NoisySums(np.arange(len(looked_at.classes)), seeded=rng, exact=rho is None), rho, rng)
    return family


@pytest.fixture(scope="module")
def looked_at(patients: ImageTable, schema: ImageSchema) -> Seen:
    return seen(patients, schema)


@pytest.fixture(scope="module")
def right(looked_at: Seen) -> TiltedImages:
    """Learnt from patients whom the simulator drew itself."""
    return learnt(looked_at)


def test_a_right_simulator_stays_as_it_is(right: TiltedImages) -> None:
    assert min(right.effective_) > 0.8
    assert not right.warning_


def test_moments_move_to_the_patients(looked_at: Seen, right: TiltedImages) -> None:
    """Patients whose images are darker than most that the simulator draws."""
    light = looked_at.pixels.mean(axis=(1, 2))
    dark = np.flatnonzero(light < np.quantile(light, 0.5))
    parts = (looked_at.pixels[dark], None if looked_at.masks is None else looked_at.masks[dark])
    darker = Seen(*parts, looked_at.classes[dark], looked_at.columns[dark], looked_at.schema)
    family = learnt(darker, rho=None)
    assert max(family.effective_) < 0.9
    classes = np.repeat(np.arange(3), 40)
    drawn, untouched = (
        f.draw(classes, darker.columns[:120], np.random.default_rng(3)).pixels.mean() for f in (family, right)
    )
    assert abs(drawn - darker.pixels.mean()) < 0.6 * abs(untouched - darker.pixels.mean())


def test_images_follow_the_columns(looked_at: Seen, right: TiltedImages) -> None:
    """A larger volume shows a larger gland, as in the patients."""
    others = [c.name for c in looked_at.schema.table.columns if c.name != "zone"]
    place = others.index("prostate_volume")

    def slope(pixels: np.ndarray, columns: np.ndarray) -> np.ndarray:
        volume = columns[:, place] - columns[:, place].mean()
        return np.tensordot(volume, pixels - pixels.mean(axis=0), axes=1) / (volume @ volume)

    rows = slice(0, 300)
    drawn = right.draw(looked_at.classes[rows], looked_at.columns[rows], np.random.default_rng(4)).pixels
    found, truth = slope(drawn, looked_at.columns[rows]), slope(looked_at.pixels, looked_at.columns)
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.8
    assert 0.5 < np.vdot(found, truth) / np.vdot(truth, truth) < 1.3
    other = slope(drawn, np.random.default_rng(5).permutation(looked_at.columns[rows]))
    assert abs(np.vdot(other, truth) / np.vdot(truth, truth)) < 0.4
    assert len(np.unique(drawn.reshape(300, -1), axis=0)) == 300, "no image is drawn twice"


def test_all_of_the_budget_is_recorded(patients: ImageTable, schema: ImageSchema) -> None:
    rho = epsilon_to_rho(3.0, 1e-5)
    model = build("tilted", delta=1e-5, secure=False)
    model.family.pool = 150  # type: ignore[attr-defined]
    model.fit(patients, schema, budget=rho, rng=np.random.default_rng(8))
    assert model.privacy_.rho == pytest.approx(rho)
    assert len(model.sample(20, rng=np.random.default_rng(9))) == 20


def test_a_codebook_without_simulator_is_refused() -> None:
    schema = load_image_codebook(USE_CASES / "images" / "chest_xray28.yaml").image
    with pytest.raises(ParameterError, match="must have a simulator"):
        TiltedImages().must_suit(schema)
