"""Phantoms: balance, sizes, intensities within the published ranges, and seeds."""

from pathlib import Path

import numpy as np
import pytest

import use_cases
from models.phantoms import PHANTOMS, chest, head, pelvis
from records.images import validate_images
from records.images.storage import image_bytes
from use_cases.images.codebook import load_image_codebook

pytestmark = pytest.mark.slow

FOLDER = Path(use_cases.__file__).parent
CODEBOOKS = {path.stem: path for path in FOLDER.glob("*/*_phantom.yaml")}
# Ranges of the mean of what is a lesion: solid nodule (HU), cancer (below half of full signal), infarct (HU).
LESIONS = {"lung_ct_phantom": (-450, 60), "prostate_t2_phantom": (0.2, 0.55), "stroke_ct_phantom": (15, 30)}


@pytest.fixture(scope="module", params=sorted(PHANTOMS))
def phantom(request):
    return request.param, PHANTOMS[request.param](12, slices=2, rng=np.random.default_rng(5))


def test_fits_its_codebook_and_says_what_it_is(phantom):
    name, table = phantom
    validate_images(table, load_image_codebook(CODEBOOKS[name]).image, source=name)
    assert table.phantom
    assert all("phantom" in patient for patient in table.patients)


def test_mask_label_and_image_agree(phantom):
    name, table = phantom
    label = load_image_codebook(CODEBOOKS[name]).image.labels[0]
    lesion = table.masks.any(axis=(1, 2))
    assert ((table.rows[label] != "none").to_numpy() == lesion).all()
    assert 0.3 <= lesion.mean() <= 0.8
    low, high = LESIONS[name]
    assert low < table.pixels[table.masks == 1].mean() < high


def test_seeds(phantom):
    name, table = phantom
    again = PHANTOMS[name](12, slices=2, rng=np.random.default_rng(5))
    assert image_bytes(again) == image_bytes(table)
    assert image_bytes(PHANTOMS[name](12, slices=2, rng=np.random.default_rng(6))) != image_bytes(table)


def test_tissues_of_the_chest_and_head():
    chest = PHANTOMS["lung_ct_phantom"](8, slices=1, rng=np.random.default_rng(1)).pixels
    # lungs: what is far below fat and inside the body
    inner = chest[:, 20:44, 10:54]
    lung = inner[(inner < -700) & (inner > -960)]
    assert -870 < lung.mean() < -790
    head = PHANTOMS["stroke_ct_phantom"](8, slices=1, rng=np.random.default_rng(1)).pixels[:, 20:44, 24:40]
    assert 24 < np.median(head) < 40


def test_diameter_is_that_of_the_mask():
    table = PHANTOMS["lung_ct_phantom"](24, slices=1, rng=np.random.default_rng(2))
    drawn = 2 * np.sqrt(table.masks.sum(axis=(1, 2)) * table.spacing[0] * table.spacing[1] / np.pi)
    said = table.rows["nodule_diameter"].to_numpy()
    large = said > 12
    assert np.corrcoef(drawn[large], said[large])[0, 1] > 0.7


def _organs(name, monkeypatch, rng):
    """The table and, on the same pixels, the share of the organ that a lesion must lie in, as the phantom drew it."""
    drawn = {}

    def keep(module, function, organ):
        real = getattr(module, function)

        def kept(*given):
            result = real(*given)
            drawn["organ"] = given[0].averaged(organ(given[0], result))
            return result

        monkeypatch.setattr(module, function, kept)

    keep(chest, "_thorax", lambda canvas, made: canvas.inside(np.minimum(*made[1])))
    keep(pelvis, "_pelvis", lambda canvas, made: canvas.inside(made[1]))
    keep(head, "_head", lambda canvas, made: made[1])
    return PHANTOMS[name](30, slices=2, rng=rng), drawn["organ"]


@pytest.mark.parametrize("name", sorted(PHANTOMS))
def test_lesions_lie_inside_the_organ(name, monkeypatch):
    table, organ = _organs(name, monkeypatch, np.random.default_rng(8))
    assert table.masks.any(axis=(1, 2)).sum() > 15
    assert 0.02 < (organ > 0.5).mean() < 0.7  # the organ is part of the image
    assert organ[table.masks == 1].min() > 0.25
    assert (organ[table.masks == 1] > 0.5).mean() > 0.97


def test_territories_lie_on_one_side_and_zones_apart():
    stroke = PHANTOMS["stroke_ct_phantom"](40, slices=1, rng=np.random.default_rng(8))
    left = stroke.masks[:, :, 32:].any(axis=(1, 2))
    right = stroke.masks[:, :, :32].any(axis=(1, 2))
    assert not (left & right).any()
    prostate = PHANTOMS["prostate_t2_phantom"](60, slices=1, rng=np.random.default_rng(8))
    rows = np.arange(64)[None, :, None]
    with np.errstate(invalid="ignore"):
        height = (prostate.masks * rows).sum(axis=(1, 2)) / prostate.masks.sum(axis=(1, 2))
    zone = prostate.rows["zone"].cast(str).to_numpy()
    # the peripheral zone lies behind the transition zone
    assert np.nanmean(height[zone == "peripheral"]) > np.nanmean(height[zone == "transition"]) + 2


def test_many_are_made_in_portions_and_numbered_through(monkeypatch):
    monkeypatch.setattr("models.phantoms.portions.MOST_POINTS", 10 * 2 * 16 * 16)
    table = PHANTOMS["lung_ct_phantom"](23, slices=2, size=(16, 16), rng=np.random.default_rng(0))
    assert len(table) == 46
    assert table.patients == [f"lung-phantom-{i:06d}" for i in range(23)]
    assert table.masks.shape == table.pixels.shape
    assert len(np.unique(table.pixels.reshape(46, -1), axis=0)) == 46
