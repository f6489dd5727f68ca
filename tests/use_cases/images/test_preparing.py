"""Slice choice, resampling against ramps and circles whose values are known, and what does not make a volume."""

from types import SimpleNamespace

import numpy as np
import pytest

from records.images import Modality
from use_cases.images.codebook import SliceRule, Slices
from use_cases.images.dicom_planes import Plane
from use_cases.images.dicom_stack import stacked
from use_cases.images.preparing import chosen_slices, resampled, resampled_masks
from use_cases.images.report import SeriesError
from use_cases.images.volume import Volume


def _schema(size, spacing, window=(-1000.0, 1000.0)):
    return SimpleNamespace(size=size, spacing=spacing, window=window)


def _volume(masked=()):
    masks = np.zeros((11, 8, 8), np.uint8)
    masks[list(masked), 2, 2] = 1
    return Volume(np.zeros((11, 8, 8), np.float32), (2.0, 1.0, 1.0), masks)


def test_slice_rules():
    assert chosen_slices(_volume(), Slices()).tolist() == list(range(11))
    assert chosen_slices(_volume(), Slices(rule=SliceRule.MIDDLE)).tolist() == [5]
    assert chosen_slices(_volume([3, 7]), Slices(rule=SliceRule.MASK)).tolist() == [3, 7]
    assert chosen_slices(_volume(), Slices(rule=SliceRule.EVERY, every=10.0)).tolist() == [0, 5, 10]
    with pytest.raises(SeriesError, match="mask"):
        chosen_slices(_volume(), Slices(rule=SliceRule.MASK))


@pytest.mark.parametrize("step", [0.5, 1.5, 2.0])
def test_a_ramp_in_mm_stays_that_ramp(step):
    y, x = (np.arange(n) - (n - 1) / 2 for n in (60, 50))
    ramp = (3 * y[:, None] * 0.8 - 2 * x[None] * 1.2).astype(np.float32)[None]
    found = resampled(ramp, (0.8, 1.2), _schema((16, 16), (step, step)))[0]
    places = (np.arange(16) - 7.5) * step
    assert np.allclose(found, 3 * places[:, None] - 2 * places[None], atol=1e-2)


def test_a_circle_keeps_its_area_and_centre():
    y, x = np.mgrid[:120, :120] - 59.5
    circle = (np.hypot(y + 10, x - 5) * 0.5 < 15).astype(np.uint8)[None]
    found = resampled_masks(circle, (0.5, 0.5), _schema((64, 64), (1.0, 1.0)))[0]
    assert found.sum() == pytest.approx(np.pi * 15**2, rel=0.03)
    assert np.argwhere(found).mean(axis=0) - 31.5 == pytest.approx([-5, 2.5], abs=0.3)


@pytest.mark.parametrize(
    ("heights", "rule"),
    [([0, 2, 4, 8, 10], "all slices"), ([0, 2, 4, 6.6, 8.6], "one distance"), ([0, 2, 2, 4], "one image per place")],
)
def test_uneven_stacks_are_refused(heights, rule):
    pixels, axial = np.zeros((8, 8), np.float32), np.array([1.0, 0, 0, 0, 1, 0])
    planes = [Plane(pixels, (1.0, 1.0), np.array([0.0, 0, z]), axial, 2.0, str(z)) for z in heights]
    with pytest.raises(SeriesError, match=rule):
        stacked(planes, Modality.CT)
