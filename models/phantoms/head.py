"""Phantom of an axial head CT slice at the level of the basal ganglia, with or without an ischaemic territory.

Belongs here: sizes and Hounsfield units of the head. Does not belong here: drawing (``shapes``). The slice lies above
the eyes and has no face.

References
----------
Tatu et al. (1998), Arterial territories of the human brain, Neurology 50:1699. von Kummer et al. (2001), Radiology
219:95: acute ischaemia lowers attenuation by 2 HU and more, with swelling. Barber et al. (2000), Lancet 355:1670:
ASPECTS, ten regions of the middle cerebral artery, 10 is normal. Saver et al. (1999), Stroke 30:293, and Lyden (2017),
Stroke 48:513: NIHSS 0 to 42 rises with the volume of the infarct. Grey matter is taken as 37 to 41 HU, white as 27 to
31 HU, fluid as 4 to 8 HU.
"""

import numpy as np
from numpy.typing import NDArray

from models.phantoms.patients import Patients, scene
from models.phantoms.portions import in_portions
from models.phantoms.shapes import Array, Canvas, painted
from records.images import ImageTable, IntensityUnit

WINDOW, SPACING = (0.0, 80.0), (3.5, 3.5)
TERRITORIES = np.array(["none", "mca", "aca", "pca"])
GREY, WHITE, FLUID, BONE, SCALP = 39.0, 29.0, 6.0, 1000.0, 20.0
# Three in five patients have an infarct; the middle cerebral artery is by far the most frequent.
_SHARES = (0.4, 0.36, 0.1, 0.14)


@in_portions
def stroke_ct_phantom(
    patients: int, *, slices: int = 3, size: tuple[int, int] = (64, 64), rng: np.random.Generator
) -> ImageTable:
    """Simulated head CT slices with their ischaemic territories.

    Territory and mask are of the slice; age, NIHSS and ASPECTS of the patient, and agree with the size and the side of
    the infarct.

    Parameters
    ----------
    patients, slices : int
        At least 1 each; slices lie 2.5 mm apart.
    size : (int, int)
        The field of view is 224 mm wide at any size.

    Raises
    ------
    ParameterError
        Nothing is asked for.
    """
    people, canvas = scene(patients, slices, size, SPACING, rng)
    kind = _territories(patients, rng)
    side = rng.choice([-1, 1], patients)
    extent = rng.beta(2, 2, patients)
    age = np.clip(np.round(rng.normal(72, 11, patients)), 30, 95).astype(np.int64)
    image, brain, tissue = _head(canvas, people, people.each(age), people.each(side))
    region = _region(canvas, people, people.each(kind), people.each(side), people.each(extent))
    share = region * brain * np.clip(tissue, 0, 1)
    drop = people.normal(9, 2)
    image = image - share * drop * (1 + 0.08 * canvas.texture(6))
    noise = 2.2 * rng.standard_normal((len(people), *size), dtype=np.float32)
    covered = canvas.averaged(share)
    mask = (covered >= 0.5).astype(np.uint8)
    level = np.where(mask.any(axis=(1, 2)), np.repeat(kind, slices), 0)
    aspects, nihss = _scores(kind, side, extent, rng)
    rows = people.rows(
        "stroke-phantom", territory=TERRITORIES[level].tolist(), age=np.repeat(age, slices),
        nihss=np.repeat(nihss, slices), aspects=np.repeat(aspects, slices),
    )  # fmt: skip
    pixels = np.clip(canvas.averaged(image) + noise, *WINDOW).astype(np.float32)
    return ImageTable(rows, pixels, IntensityUnit.HU, canvas.spacing, mask, phantom=True)


def _territories(patients: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places in ``TERRITORIES`` in fixed shares, shuffled."""
    edges = np.round(np.cumsum(_SHARES) * patients)
    return rng.permutation(np.searchsorted(edges, np.arange(patients), side="right").clip(0, 3)).astype(np.int64)


def _scores(
    kind: NDArray[np.int64], side: NDArray[np.int64], extent: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """ASPECTS (only the middle cerebral artery lowers it) and NIHSS (higher on the left, where language is)."""
    aspects = np.where(kind == 1, np.clip(10 - np.ceil(8 * extent), 1, 9), 10).astype(np.int64)
    expected = np.array([1.5, 5, 3, 2])[kind] + np.array([0, 17, 5, 5])[kind] * extent + 2.0 * (side > 0) * (kind == 1)
    return aspects, np.clip(np.round(rng.normal(expected, 1.5)), 0, 42).astype(np.int64)


def _head(canvas: Canvas, people: Patients, age: Array, side: Array) -> tuple[Array, Array, Array]:
    """The slice without an infarct, the share of the inside of the skull, and the share of brain that is no fluid."""
    a, b = people.normal(68, 3), people.normal(85, 3.5)
    tilt = people.normal(0, 0.04)
    swell = people.wobble(canvas, 0.012, 0, 0, 4) - 0.03 * (canvas.y < -0.3 * b) * np.abs(canvas.x) / 70
    skull = canvas.ellipse(0, 0, a, b, tilt=tilt, wobble=swell, power=2.15)
    thick = people.normal(6.5, 0.9) + 2.0 * (np.abs(canvas.y) / b) ** 4
    image = np.full(canvas.shape, -1000, np.float32)
    image = painted(image, canvas.inside(skull - 5.5), SCALP)
    image = painted(image, canvas.inside(skull), BONE)
    brain = canvas.inside(skull + thick)
    atrophy = np.clip((age - 45) / 50, 0, 1)
    image = painted(image, brain, FLUID)
    inner = skull + thick + 1.0 + 2.0 * atrophy
    folds = canvas.texture(4.5)
    tissue = canvas.inside(inner, 1.0)
    cortex = np.clip(inner / 9 + 1, 0, 1)
    sulci = np.clip(1.6 * (folds + 0.4 * atrophy - 1.35), 0, 1) * cortex
    white = np.clip(-(inner + 8 + 4.5 * canvas.texture(5)) / 5, 0, 1)
    matter = GREY - (GREY - WHITE) * white + people.normal(0, 0.7)
    image = painted(image, tissue, matter)
    image = painted(image, sulci * tissue, FLUID + 8)
    image = _deep_grey(canvas, people, image)
    tissue = tissue * (1 - 0.7 * sulci)
    return _fluid(canvas, people, image, tissue, b, atrophy)


def _deep_grey(canvas: Canvas, people: Patients, image: Array) -> Array:
    """Caudate, lentiform nucleus, thalamus and insula, both sides."""
    for s in (-1, 1):
        for x, y, a, b, tilt in ((13, -20, 5.5, 8, 0.25), (25, -7, 7.5, 14, 0.25), (10.5, 11, 8, 11.5, -0.5)):
            nucleus = canvas.ellipse(s * x, y + people.normal(0, 1), a, b, tilt=s * tilt)
            image = painted(image, canvas.inside(nucleus, 1.5), GREY + 0.5)
        insula = canvas.ellipse(s * 38, -5, 2.6, 17, tilt=s * 0.1)
        image = painted(image, canvas.inside(insula, 1.5), GREY + 0.5)
    return image


def _fluid(
    canvas: Canvas, people: Patients, image: Array, tissue: Array, b: Array, atrophy: Array
) -> tuple[Array, Array, Array]:
    """Ventricles, Sylvian fissures, the cleft between the halves, and the falx within it."""
    wide = 1 + 0.7 * atrophy + people.normal(0, 0.08)
    shift = 0.012 * people.z
    ponds = []
    for s in (-1, 1):
        ponds.append(canvas.ellipse(s * 8.5 * wide, -28, 3.4 * wide, 10 * (1 - shift), tilt=s * 0.42))
        ponds.append(canvas.ellipse(s * 24, 36, 4.4 * wide, 13, tilt=-s * 0.38))
        ponds.append(canvas.ellipse(s * 45, -14, 1.2 + 1.6 * atrophy, 13, tilt=s * 0.5))
    ponds.append(canvas.ellipse(0, 8, 1.8 * wide, 11))
    ponds.append(canvas.ellipse(0, 33, 9 * wide, 3.5))
    cleft = np.maximum(np.abs(canvas.x) - 0.9 - 1.4 * atrophy, 34 - np.abs(canvas.y + 4))
    brain = canvas.inside(canvas.ellipse(0, 0, 200, 200)) * (image > -50) * (image < 80)
    share = canvas.inside(cleft, 1.0) * np.clip(tissue * 2, 0, 1)
    for pond in ponds:
        share = np.maximum(share, canvas.inside(pond, 1.0))
    image = painted(image, share * tissue, FLUID)
    falx = canvas.inside(np.maximum(np.abs(canvas.x) - 0.7, 40 - np.abs(canvas.y + 4)), 0.5) * brain
    image = painted(image, 0.6 * falx, 55)
    return _calcified(canvas, people, image), brain.astype(np.float32), tissue * (1 - share)


def _calcified(canvas: Canvas, people: Patients, image: Array) -> Array:
    """Calcium of the pineal gland and choroid plexus, seen in most of the old."""
    amount = people.uniform(0, 1)
    for x, y in ((0, 24), (-21, 34), (21, 34)):
        image = painted(image, amount * canvas.inside(canvas.ellipse(x, y, 2.6, 2.6), 1), 95)
    return image


def _region(canvas: Canvas, people: Patients, kind: Array, side: Array, extent: Array) -> Array:
    """The ischaemic part of the territory: a wedge whose share of the territory is the extent."""
    x, y = canvas.x * side, canvas.y
    ragged = 2.5 * canvas.texture(7, per_slice=False) + people.wobble(canvas, 2.5, 30 * side, 0, 5)
    grown = 1 - 0.004 * people.z**2
    angle = np.arctan2(x - 6, -y)
    half = (0.34 + 0.72 * extent) * grown
    mca = np.maximum((np.abs(angle - people.normal(1.55, 0.1)) - half) * 40, 19 - x)
    aca = np.maximum(np.abs(x - 10) - (6 + 5 * extent) * grown, y + 24 - 8 * extent)
    pca = np.maximum(np.abs(x - 20) - (12 + 9 * extent) * grown, 46 - 10 * extent - y)
    wedges = np.where(kind == 1, mca, np.where(kind == 2, aca, pca))
    aca_like = np.where(x > 0.5, wedges + ragged, 99)
    return canvas.inside(aca_like.astype(np.float32), 3.0) * (kind > 0)
