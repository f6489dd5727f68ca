"""Phantom of an axial chest CT slice below the carina, with or without a pulmonary nodule.

Belongs here: sizes and Hounsfield units of the chest. Does not belong here: drawing (``shapes``).

References
----------
Schneider, Pedroni, Lomax (1996), Physics in Medicine and Biology 41:111: Hounsfield units of fat (about -100), muscle
(about 40) and spongy bone (about 200). Hansell et al. (2008), Radiology 246:697, and MacMahon et al. (2017),
Radiology 284:228: forms and sizes of nodules (up to 30 mm; larger ones are masses). McWilliams et al. (2013), NEJM
369:910: larger, spiculated and upper-lobe nodules of older people are more often cancer. Mean lung at inspiration is
taken as -840 HU with a standard deviation of 30 between people.
"""

import numpy as np
from numpy.typing import NDArray

from models.phantoms.patients import Patients, scene
from models.phantoms.portions import in_portions
from models.phantoms.shapes import Array, Canvas, blocks, drawn_mask, painted
from records.images import ImageTable, IntensityUnit

WINDOW, SPACING = (-1000.0, 400.0), (5.5, 5.5)
FAT, MUSCLE, BLOOD, SPONGY, CORTICAL, AIR = -100.0, 45.0, 42.0, 180.0, 450.0, -1000.0
_LEVELS = np.array(["none", "benign", "malignant"])


@in_portions
def lung_ct_phantom(
    patients: int, *, slices: int = 3, size: tuple[int, int] = (64, 64), rng: np.random.Generator
) -> ImageTable:
    """Simulated chest CT slices with their nodules.

    A third of the patients each has no, a benign or a malignant nodule; label, diameter and mask are of the slice.

    Parameters
    ----------
    patients, slices : int
        At least 1 each; slices lie 2.5 mm apart about the middle of the nodule.
    size : (int, int)
        The field of view is 352 mm wide at any size.

    Raises
    ------
    ParameterError
        Nothing is asked for.
    """
    people, canvas = scene(patients, slices, size, SPACING, rng)
    kind = rng.permutation(np.arange(patients) % 3)
    malignant = people.each(kind == 2)
    image, lungs = _thorax(canvas, people)
    share, radius = _nodule(canvas, people, people.each(kind), lungs)
    inside = people.normal(30, 20) + 20 * malignant
    image = painted(image, share, inside + 8 * canvas.texture(2))
    noise = 14 * rng.standard_normal((len(people), *size), dtype=np.float32)
    mask = drawn_mask(canvas.averaged(share))
    level = np.where(mask.any(axis=(1, 2)), np.repeat(kind, slices), 0)
    rows = people.rows(
        "lung-phantom",
        malignancy=_LEVELS[level].tolist(),
        age=np.repeat(_ages(kind, rng), slices),
        nodule_diameter=np.where(level > 0, 2 * radius.ravel(), 0).astype(float).round(1),
    )
    pixels = np.clip(canvas.averaged(image) + noise, *WINDOW).astype(np.float32)
    return ImageTable(rows, pixels, IntensityUnit.HU, canvas.spacing, mask, phantom=True)


def _ages(kind: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Ages of screening and clinic: cancer some years later."""
    return np.clip(np.round(rng.normal(60 + 4 * (kind == 2), 8)), 40, 89).astype(np.int64)


def _thorax(canvas: Canvas, people: Patients) -> tuple[Array, list[Array]]:
    """The slice without a nodule, and the signed distances to the right and left lung."""
    a, b = people.normal(158, 9), people.normal(108, 8)
    fat = people.uniform(6, 22)
    skin = canvas.ellipse(0, 0, a, b, power=2.4)
    image = np.full(canvas.shape, AIR, np.float32)
    image = painted(image, canvas.inside(skin), FAT + 10 * canvas.texture(6))
    muscle = canvas.ellipse(0, 2, a - fat, b - fat, power=2.4)
    image = painted(image, canvas.inside(muscle), MUSCLE + 8 * canvas.texture(5))
    wall = canvas.ellipse(0, 0, a - fat - 18, b - fat - 14, power=2.3)
    image = painted(image, canvas.inside(wall), -40 + 20 * canvas.texture(8))
    image = _ribs(canvas, people, image, wall)
    lungs = _lungs(canvas, people, a - fat - 20, b - fat - 17)
    image = _filled_lungs(canvas, people, image, lungs)
    return _middle(canvas, people, image, b, fat), lungs


def _ribs(canvas: Canvas, people: Patients, image: Array, wall: Array) -> Array:
    """Ribs cross the slice at a slant: arcs of bone around the chest wall."""
    angle = np.arctan2(canvas.y / 0.75, canvas.x)
    turn = people.uniform(0, 2 * np.pi) + 0.05 * people.z
    arcs = np.clip(4 * (np.cos(11 * angle + turn) - 0.35), 0, 1)
    ring = canvas.inside(np.abs(wall - 4) - 3.2, 1.5) * arcs
    front = np.clip((canvas.y + 75) / 20, 0, 1)
    return painted(image, ring * (0.35 + 0.65 * front), 330)


def _lungs(canvas: Canvas, people: Patients, a: Array, b: Array) -> list[Array]:
    """Right lung (image left) and left lung, which gives way to the heart."""
    lungs = []
    for side in (-1, 1):
        width = a * people.normal(0.44 if side < 0 else 0.41, 0.015)
        cx = side * (a - width)
        swell = people.wobble(canvas, 0.05, cx, 0, 5)
        lung = canvas.ellipse(cx, 3, width, b * 0.93, tilt=side * 0.13, wobble=swell, power=2.5)
        spine = canvas.ellipse(0, b * 0.72, 27, 34)
        lungs.append(np.maximum(lung, -spine))
    return lungs


def _filled_lungs(canvas: Canvas, people: Patients, image: Array, lungs: list[Array]) -> Array:
    mean = people.normal(-858, 22)
    share = np.maximum(*(canvas.inside(lung) for lung in lungs))
    # blood sinks: the back of a lying patient is denser
    tissue = mean + 0.35 * canvas.y + 22 * canvas.texture(5)
    image = painted(image, share, tissue)
    return painted(image, share * _vessels(canvas, people), -60)


def _vessels(canvas: Canvas, people: Patients) -> Array:
    """Vessels branch from each hilum, thinner further out; those that run through the slice are dots."""
    share = np.zeros(canvas.shape, np.float32)
    for side in (-1, 1):
        hx, hy = side * people.normal(42, 4), people.normal(0, 5)
        bend = people.uniform(0, 6)
        drawn = [(people.uniform(-1.5, 1.5) + 0.02 * people.z, people.uniform(45, 85)) for _ in range(6)]
        for part in blocks(len(people)):
            dx, dy = (canvas.x - hx[part]) * side, canvas.y - hy[part]
            away = np.hypot(dx, dy)
            bent = np.arctan2(dy, dx) + 0.12 * np.sin(away / 14 + bend[part])
            width = np.clip(4.4 - away / 20, 0.7, 4)
            for towards, reach in drawn:
                vessel = canvas.inside(np.abs(bent - towards[part]) * away - width, 1.0) * (away < reach[part])
                share[part] = np.maximum(share[part], vessel)
    dots = np.clip(1.3 * (canvas.texture(2.2) - 2.25), 0, 1)
    return np.clip(share * 0.85 + dots, 0, 1)


def _middle(canvas: Canvas, people: Patients, image: Array, b: Array, fat: Array) -> Array:
    """Heart, great vessels, bronchi, oesophagus, spine and breastbone."""
    back = b - fat
    cx, cy = people.normal(14, 4), people.normal(-22, 5)
    swell = people.wobble(canvas, 0.05, cx, cy, 4)
    fatty = canvas.ellipse(cx - 6, cy + 6, people.normal(58, 4), people.normal(52, 4), tilt=0.35, wobble=swell)
    image = painted(image, canvas.inside(fatty, 2), -70)
    heart = canvas.ellipse(cx, cy, people.normal(52, 4), people.normal(42, 3), tilt=0.45, wobble=swell)
    image = painted(image, canvas.inside(heart, 2), BLOOD + 7 * canvas.texture(7))
    image = painted(image, canvas.inside(canvas.ellipse(0, 18, 26, 30), 3), MUSCLE - 15)
    for side in (-1, 1):
        bronchus = canvas.ellipse(side * people.normal(24, 3) - 2, people.normal(14, 3), 6.5, 5.5)
        image = painted(image, canvas.inside(bronchus), -950)
    aorta = canvas.ellipse(people.normal(27, 3), back * 0.47, people.normal(12.5, 1.2), people.normal(12.5, 1.2))
    image = painted(image, canvas.inside(aorta - 2), MUSCLE)
    image = painted(image, canvas.inside(aorta), BLOOD + 4)
    spine = canvas.ellipse(0, back * 0.60, 18, 14.5)
    image = painted(image, canvas.inside(spine), CORTICAL)
    image = painted(image, canvas.inside(spine + 3.5), SPONGY + 25 * canvas.texture(3))
    arch = canvas.ellipse(0, back * 0.60 + 24, 17, 12)
    image = painted(image, canvas.inside(arch) * (np.abs(canvas.x) < 30), 300)
    image = painted(image, canvas.inside(canvas.ellipse(0, back * 0.60 + 21, 9, 7.5)), 25)
    for side in (-1, 1):
        process = canvas.ellipse(side * 27, back * 0.60 + 18, 13, 4.5, tilt=side * 0.35)
        image = painted(image, canvas.inside(process, 1), 260)
    breastbone = canvas.ellipse(0, 8 - back, 19, 5.5)
    image = painted(image, canvas.inside(breastbone), 300)
    return painted(image, canvas.inside(breastbone + 2.5), 140)


def _nodule(canvas: Canvas, people: Patients, kind: Array, lungs: list[Array]) -> tuple[Array, Array]:
    """Share of the nodule on each slice and its radius there, mm."""
    rng, count = people.rng, people.count
    diameter = np.where(
        np.asarray(kind[:: people.slices]).ravel() == 2,
        np.clip(rng.lognormal(np.log(19), 0.35, count), 9, 32),
        np.clip(rng.lognormal(np.log(9), 0.22, count), 6.5, 14),
    )
    radius = np.sqrt(np.maximum((people.each(diameter) / 2) ** 2 - people.z**2, 0)) * (kind > 0)
    cx, cy = _places(canvas, people, lungs, people.each(diameter / 2))
    malignant = kind == 2
    smooth = people.wobble(canvas, 0.10, cx, cy, 4)
    angle = np.arctan2(canvas.y - cy, canvas.x - cx)
    spikes = 0.22 * np.abs(np.sin(people.each(rng.integers(3, 6, count)) * angle + people.uniform(0, 6)))
    distance = np.hypot(canvas.x - cx, canvas.y - cy) - radius * (1 + smooth * 0.8 + malignant * (spikes - 0.13))
    share = canvas.inside(distance.astype(np.float32), 0.5) * (radius > 0)
    return share * np.maximum(*(lung < 0 for lung in lungs)), radius


def _places(canvas: Canvas, people: Patients, lungs: list[Array], radius: Array) -> tuple[Array, Array]:
    """A random point of a lung for each patient, far enough from its edge on every slice."""
    depth = np.maximum(*(-lung for lung in lungs)).reshape(people.count, people.slices, -1).min(axis=1)
    room = np.minimum(radius[:: people.slices].ravel()[:, None] + 3, 0.8 * depth.max(axis=1, keepdims=True))
    chosen = np.where(depth >= room, people.rng.random(depth.shape, dtype=np.float32), -1).argmax(axis=1)
    row, column = np.divmod(chosen, canvas.shape[2])
    return people.each(canvas.x.ravel()[column]), people.each(canvas.y.ravel()[row])
