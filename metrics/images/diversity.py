"""Do synthetic images differ from each other as real ones do? Mean multi-scale similarity of random pairs.

Belongs here: SSIM over several scales and its mean over pairs. Does not belong here: nearness to real images
(``coverage``), or copies (``copies``).

A generator that repeats itself has a higher mean than real images. Scales are as many of the five published ones as the
image has room for (the window of 11 pixels must fit), with their published weights made to add up to 1.

References
----------
Wang, Simoncelli and Bovik, 2003, Asilomar (MS-SSIM). Odena, Olah and Shlens, 2017, ICML (as a measure of diversity).
"""

from typing import TYPE_CHECKING

import numpy as np

from metrics.discrimination import Interval
from metrics.images.intensities import Pixels
from metrics.images.one_thread import one_thread

if TYPE_CHECKING:
    from torch import Tensor

WINDOW, DEVIATION = 11, 1.5
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
STABILISERS = (0.01**2, 0.03**2)
PAIRS, AT_ONCE = 500, 100


def scales(size: tuple[int, int]) -> int:
    """How many scales fit into an image, at most five and at least one."""
    return max(1, sum(min(size) // 2**level >= WINDOW for level in range(len(WEIGHTS))))


def similarity(one: Pixels, other: Pixels) -> np.ndarray:
    """MS-SSIM of each pair, shape [n]; 1 is equal, negative structure counts 0.

    Parameters
    ----------
    one, other : numpy.ndarray of float32, [n, h, w]
        In 0..1, at least 11 pixels a side.
    """
    parts = [_similarity(one[at : at + AT_ONCE], other[at : at + AT_ONCE]) for at in range(0, len(one), AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _similarity(one: Pixels, other: Pixels) -> np.ndarray:
    import torch
    from torch.nn import functional

    x, y = (torch.from_numpy(side)[:, None] for side in (one, other))
    count = scales(one.shape[1:])
    weights = np.array(WEIGHTS[:count]) / sum(WEIGHTS[:count])
    product = np.ones(len(one))
    with one_thread(), torch.inference_mode():
        for level, weight in enumerate(weights):
            whole, structure = _terms(x, y)
            product *= np.clip(whole if level == count - 1 else structure, 0, None) ** weight
            x, y = (functional.avg_pool2d(side, 2, padding=[s % 2 for s in side.shape[2:]]) for side in (x, y))
    return product


def _terms(x: "Tensor", y: "Tensor") -> tuple[np.ndarray, np.ndarray]:
    """Mean SSIM of each pair, and mean of its contrast and structure alone."""
    import torch
    from torch.nn import functional

    places = torch.arange(WINDOW) - WINDOW // 2
    bell = torch.exp(-(places.float() ** 2) / (2 * DEVIATION**2))
    bell = bell / bell.sum()

    def smooth(image: "Tensor") -> "Tensor":
        return functional.conv2d(functional.conv2d(image, bell.view(1, 1, -1, 1)), bell.view(1, 1, 1, -1))

    mean_x, mean_y = smooth(x), smooth(y)
    var_x, var_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
    shared = smooth(x * y) - mean_x * mean_y
    light, contrast = STABILISERS
    structure = (2 * shared + contrast) / (var_x + var_y + contrast)
    whole = structure * (2 * mean_x * mean_y + light) / (mean_x**2 + mean_y**2 + light)
    return whole.mean(dim=(1, 2, 3)).double().numpy(), structure.mean(dim=(1, 2, 3)).double().numpy()


def mean_similarity(pixels: Pixels, groups: np.ndarray, rng: np.random.Generator) -> Interval:
    """Mean MS-SSIM of 500 random pairs of different patients, with its 95 % interval; NaN with one patient.

    The interval is of the mean over pairs that share images, taken as independent: a little too narrow.
    """
    if len(np.unique(groups)) < 2:
        return Interval(float("nan"), float("nan"), float("nan"))
    first, second = rng.integers(len(pixels), size=(2, 20 * PAIRS))
    apart = np.flatnonzero(groups[first] != groups[second])[:PAIRS]
    if min(pixels.shape[1:]) < WINDOW or not apart.size:
        return Interval(float("nan"), float("nan"), float("nan"))
    found = similarity(pixels[first[apart]], pixels[second[apart]])
    half = float(1.96 * found.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else float("nan")
    return Interval(float(found.mean()), float(found.mean()) - half, float(found.mean()) + half)
