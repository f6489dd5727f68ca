"""Phantom of an axial T2 slice through the middle of the prostate, with or without a cancer in a zone.

Belongs here: sizes and relaxation of the pelvis. Does not belong here: drawing (``shapes``).

Signal is density x exp(-TE / T2) at TE 100 ms, the weighting that PI-RADS asks for.

References
----------
Turkbey et al. (2019), PI-RADS 2.1, European Urology 76:340: cancer of the peripheral zone is a focal, moderately dark
spot, of the transition zone a lenticular dark area without a capsule; 15 mm parts categories 4 and 5. McNeal (1981),
Prostate 2:35: zones; about 7 of 10 cancers lie in the peripheral zone. Bojorquez et al. (2017), Magnetic Resonance
Imaging 35:69: T2 at 3 T, muscle about 35 ms. T2 is taken as 160 ms (sd 20) in the peripheral zone, 95 ms (sd 10) in
the transition zone and 78 ms (sd 7) in cancer.
"""

import numpy as np

from models.phantoms.patients import Patients, scene
from models.phantoms.portions import in_portions
from models.phantoms.shapes import Array, Canvas, drawn_mask, painted
from records.images import ImageTable, IntensityUnit

WINDOW, SPACING = (0.0, 1.0), (1.5, 1.5)
ZONES = np.array(["none", "peripheral", "transition"])
ECHO_MS = 100.0
MUSCLE, FAT = 36.0, 115.0
_SHARES = (0.5, 0.34, 0.16)


def signal(t2: Array | float, density: float = 1.0) -> Array:
    """Signal of a spin echo at TE 100 ms; T2 in ms."""
    return (density * np.exp(-ECHO_MS / np.asarray(t2, np.float32))).astype(np.float32)


@in_portions
def prostate_t2_phantom(
    patients: int, *, slices: int = 3, size: tuple[int, int] = (64, 64), rng: np.random.Generator
) -> ImageTable:
    """Simulated T2 slices of the prostate with their cancers.

    Zone and mask are of the slice; age, volume and prostate-specific antigen of the patient. Antigen rises with the
    volume of the gland and of the cancer.

    Parameters
    ----------
    patients, slices : int
        At least 1 each; slices lie 2.5 mm apart about the middle of the cancer.
    size : (int, int)
        The field of view is 96 mm wide at any size.

    Raises
    ------
    ParameterError
        Nothing is asked for.
    """
    people, canvas = scene(patients, slices, size, SPACING, rng)
    edges = np.round(np.cumsum(_SHARES) * patients)
    kind = rng.permutation(np.searchsorted(edges, np.arange(patients), side="right").clip(0, 2)).astype(np.int64)
    age = np.clip(np.round(rng.normal(66, 7, patients)), 45, 85).astype(np.int64)
    volume = np.clip(rng.lognormal(np.log(30 + 0.9 * (age - 50)), 0.28), 18, 120)
    diameter = np.clip(rng.lognormal(np.log(13), 0.3, patients), 7, 26)
    image, gland, core = _pelvis(canvas, people, people.each(volume))
    share = _cancer(canvas, people, people.each(kind), people.each(diameter), gland, core)
    image = painted(image, 0.92 * share, signal(people.normal(78, 7)) * (1 + 0.05 * canvas.texture(2)))
    pixels = _measured(canvas, people, image)
    mask = drawn_mask(canvas.averaged(share))
    level = np.where(mask.any(axis=(1, 2)), np.repeat(kind, slices), 0)
    grown = np.pi / 6 * diameter**3 / 1000 * (kind > 0)
    psa = np.clip(rng.lognormal(np.log(0.085 * volume + 2.2 * grown + 0.8), 0.4), 0.2, 200)
    rows = people.rows(
        "prostate-phantom",
        zone=ZONES[level].tolist(),
        age=np.repeat(age, slices),
        psa=np.repeat(psa, slices).round(1),
        prostate_volume=np.repeat(volume, slices).round(0),
    )
    return ImageTable(rows, pixels, IntensityUnit.RELATIVE, canvas.spacing, mask, phantom=True)


def _measured(canvas: Canvas, people: Patients, image: Array) -> Array:
    """Coil shading, Rician noise, and the series' own 0.5th and 99.5th percentiles as 0 and 1."""
    shade = 1 + people.normal(0.08, 0.05) * canvas.y / 48 + people.normal(0, 0.04) * canvas.x / 48
    mean = canvas.averaged((image * shade).astype(np.float32))
    real, imaginary = 0.012 * people.rng.standard_normal((2, *mean.shape), dtype=np.float32)
    magnitude = np.hypot(mean + real, imaginary)
    series = magnitude.reshape(people.count, -1)
    low, high = np.percentile(series, [0.5, 99.5], axis=1).repeat(people.slices, axis=1)[:, :, None, None]
    return np.clip((magnitude - low) / (high - low), *WINDOW).astype(np.float32)


def _pelvis(canvas: Canvas, people: Patients, volume: Array) -> tuple[Array, Array, Array]:
    """The slice without a cancer, and the signed distances to the gland and its transition zone."""
    image = signal(FAT, 0.95) * (1 + 0.07 * canvas.texture(4)) + np.zeros(canvas.shape, np.float32)
    strands = np.clip(canvas.texture(1.6) - 1.2, 0, 1)
    image = painted(image, 0.5 * strands, signal(60))
    # an ellipsoid of pi/6 x width x height x length, a third wider than high
    height = (volume * 1000 / (np.pi / 6 * 1.33 * 1.1)) ** (1 / 3)
    thin = np.sqrt(np.clip(1 - (people.z / (0.55 * height)) ** 2 * 0.5, 0.4, 1))
    a, b = 0.665 * height * thin, 0.5 * height * thin
    cy = people.normal(-5, 1.5)
    image = _surroundings(canvas, people, image, a, b, cy)
    swell = people.wobble(canvas, 0.03, 0, cy, 4)
    dip = 0.12 * np.exp(-((canvas.x / 9) ** 2)) * (canvas.y > cy)
    gland = canvas.ellipse(0, cy, a, b, wobble=swell - dip, power=2.3)
    image = painted(image, canvas.inside(gland - 0.8, 0.6), signal(48))
    peripheral = signal(people.normal(160, 20)) * (1 + 0.06 * canvas.texture(2.5))
    rays = np.clip(canvas.texture(1.2) - 1.3, 0, 1)
    image = painted(image, canvas.inside(gland + 0.8, 0.6), peripheral * (1 - 0.35 * rays))
    core_share = np.clip(0.60 + 0.0022 * (volume - 30), 0.55, 0.80)
    core = canvas.ellipse(0, cy - b * (0.97 - core_share) * 0.72, a * (core_share + 0.06), b * core_share,
                          wobble=people.wobble(canvas, 0.05, 0, cy, 5), power=2.2)  # fmt: skip
    core = np.maximum(core, gland + 1.2)
    image = painted(image, canvas.inside(core - 0.7, 0.6), signal(52))
    image = _transition(canvas, people, image, core, cy, b, core_share)
    return image, gland, core


def _transition(
    canvas: Canvas, people: Patients, image: Array, core: Array, cy: Array, b: Array, core_share: Array
) -> Array:
    """Hyperplastic nodules, bright or dark with a dark rim, about the urethra; dark stroma in front."""
    mean = signal(people.normal(95, 10))
    inside = canvas.inside(core + 0.6, 0.6)
    image = painted(image, inside, mean * (1 + 0.20 * canvas.texture(2.2)))
    for k in range(7):
        side = -1 if k % 2 else 1
        nx, ny = side * people.uniform(3, 16), cy - b * 0.2 + people.uniform(-9, 9)
        radius = people.uniform(2.2, 6.5)
        nodule = canvas.ellipse(nx, ny, radius, radius * people.uniform(0.75, 1.1), tilt=people.uniform(-1, 1))
        image = painted(image, inside * canvas.inside(nodule - 0.5, 0.5), 0.62 * mean)
        t2 = people.uniform(72, 150)
        image = painted(image, inside * canvas.inside(nodule + 0.5, 0.5), signal(t2) * (1 + 0.12 * canvas.texture(1.5)))
    stroma = canvas.ellipse(0, cy - b * 0.95, 12, 4.5)
    image = painted(image, 0.85 * canvas.inside(stroma, 3), signal(45))
    urethra = canvas.ellipse(0, cy + 0.1 * b, 2.2, 2.8)
    image = painted(image, inside * canvas.inside(urethra - 1, 0.8), signal(60))
    return painted(image, inside * canvas.inside(urethra, 0.8), signal(150))


def _surroundings(canvas: Canvas, people: Patients, image: Array, a: Array, b: Array, cy: Array) -> Array:
    """Obturator and levator muscles, bone, veins in front, and the rectum with gas or stool behind."""
    muscle = signal(MUSCLE)
    for s in (-1, 1):
        edge = s * canvas.x - (a + people.normal(7.5, 1)) - 0.004 * (canvas.y + 8) ** 2 * np.sign(canvas.y + 8)
        bone = canvas.inside((-(edge - 14)).astype(np.float32), 1)
        obturator = canvas.inside((-edge).astype(np.float32), 1) * np.clip((26 - canvas.y) / 5, 0, 1)
        image = painted(image, obturator, muscle * (1 + 0.15 * canvas.texture(3)))
        image = painted(image, bone * np.clip((20 - canvas.y) / 5, 0, 1), signal(75, 0.8))
        sheet = np.abs(s * canvas.x - a - 2.6 + 0.018 * np.clip(canvas.y - cy, 0, 60) ** 2) - 1.1
        levator = canvas.inside(sheet.astype(np.float32), 0.6) * np.clip((canvas.y - cy + 14) / 8, 0, 1)
        image = painted(image, levator * np.clip((cy + b + 24 - canvas.y) / 6, 0, 1), muscle * 1.3)
        veins = canvas.ellipse(s * (a * 0.86), cy + b * 0.88, 3.6, 3)
        image = painted(image, 0.5 * canvas.inside(veins, 1.5) * np.clip(canvas.texture(1.2), 0, 1), signal(190))
    plexus = canvas.ellipse(0, cy - b - 5.5, 14, 4)
    image = painted(image, canvas.inside(plexus, 2), signal(85) * (1 + 0.4 * canvas.texture(1.5)))
    pubis = canvas.ellipse(0, cy - b - 19, 26, 9)
    image = painted(image, canvas.inside(pubis, 1.5), signal(62, 0.8))
    image = painted(image, canvas.inside(canvas.ellipse(0, cy - b - 19, 2.2, 9), 1), signal(38))
    ry, ra = cy + b + people.normal(12.5, 1), people.normal(14.5, 2)
    swell = people.wobble(canvas, 0.05, 0, ry, 5)
    rectum = canvas.ellipse(people.normal(0, 2), ry, ra, people.normal(10.5, 1), wobble=swell)
    image = painted(image, canvas.inside(rectum, 0.8), signal(44))
    image = painted(image, canvas.inside(rectum + 2, 0.8), signal(78) * (1 + 0.1 * canvas.texture(2)))
    filling = people.uniform(0.01, 0.16) + 0.05 * np.abs(canvas.texture(3))
    return painted(image, canvas.inside(rectum + 4, 0.8), filling.astype(np.float32))


def _cancer(canvas: Canvas, people: Patients, kind: Array, diameter: Array, gland: Array, core: Array) -> Array:
    """Share of the cancer: round or crescent in the peripheral zone, lenticular in the transition zone."""
    near = np.where(kind == 2, core, np.maximum(gland, 0.5 - core)).reshape(people.count, people.slices, -1).max(axis=1)
    behind = np.where(kind[:: people.slices, 0] == 2, -18, -4) < canvas.y.ravel().repeat(canvas.shape[2])
    room = np.minimum(-2.5, 0.75 * near.min(axis=1, keepdims=True))
    chosen = np.where((near <= room) & behind, people.rng.random(near.shape, dtype=np.float32), -1).argmax(axis=1)
    row, column = np.divmod(chosen, canvas.shape[2])
    cx, cy = people.each(canvas.x.ravel()[column]), people.each(canvas.y.ravel()[row])
    radius = np.sqrt(np.maximum((diameter / 2) ** 2 - people.z**2, 0))
    flat = np.where(kind == 2, 0.72, 0.85)
    along = np.arctan2(cy + 5, cx) + np.pi / 2
    tilt = np.where(kind == 2, people.uniform(-0.3, 0.3), along)
    swell = people.wobble(canvas, 0.10, cx, cy, 5)
    safe = np.maximum(radius, 0.1)
    shape = canvas.ellipse(cx, cy, safe / flat, safe * flat, tilt=tilt, wobble=swell)
    within = np.where(kind == 2, core + 0.5, np.maximum(gland + 0.8, 0.4 - core))
    return canvas.inside(np.maximum(shape, within).astype(np.float32), 0.8) * ((radius > 0) & (kind > 0))
