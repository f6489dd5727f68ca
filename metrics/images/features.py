"""Feature extractors: images in, one vector per image out, with an id that is printed beside every score.

Belongs here: the plug-in contract, random convolutions (the default) and a user's own network. Does not belong here:
radiomics (``radiomics``) or distances on features (``frechet``, ``coverage``).

A score means nothing without its extractor: the same images have other distances under another one. No extractor here is
the Inception network, so no score is called FID.

References
----------
Heusel et al., 2017, NeurIPS (Frechet distance on features). Naeem et al., 2020, ICML (random networks as extractors
beside ones trained on photographs).
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metrics.images.intensities import Pixels, pooled
from records.errors import ParameterError, StorageError
from records.files import sha256

if TYPE_CHECKING:
    from torch import Tensor

SEED = 20_260_101
MOST_PIXELS = 64
CHANNELS = (16, 32, 32)
GRID = 2
AT_ONCE = 256


@dataclass(frozen=True)
class Extractor:
    """A named function from images to features.

    Parameters
    ----------
    id : str
        Says which features, of which size or checksum.
    extract : callable
        Float32 pixels in 0..1 of shape [n, h, w] to float64 features [n, d].
    """

    id: str
    extract: Callable[[Pixels], np.ndarray]

    def __call__(self, pixels: Pixels) -> np.ndarray:
        """Features, shape [n, d]; refused if the extractor gives another form or numbers that are not finite."""
        found = np.asarray(self.extract(pixels), dtype=np.float64)
        if found.ndim != 2 or len(found) != len(pixels) or not np.isfinite(found).all():
            raise ParameterError(
                f"{self.id} must give one finite vector per image, got shape {found.shape} for {len(pixels)} images; "
                "use another network"
            )
        return found


def random_convolutions(seed: int = SEED) -> Extractor:
    """Three layers of fixed random convolutions: mean responses of each, and of the last on a 2 x 2 grid.

    Nothing is learnt and nothing downloaded; equal seeds give equal features. Images larger than 64 pixels are averaged.
    """
    width = sum(CHANNELS[:-1]) + CHANNELS[-1] * GRID**2
    return Extractor(f"random-convolutions-{width}/seed-{seed}", lambda pixels: _convolved(pixels, seed))


def _convolved(pixels: Pixels, seed: int) -> np.ndarray:
    import torch

    rng = np.random.default_rng(seed)
    sides = (5, 3, 3)
    weights = []
    for inputs, outputs, side in zip((1, *CHANNELS), CHANNELS, sides, strict=False):
        drawn = rng.standard_normal((outputs, inputs, side, side)) * np.sqrt(2 / (inputs * side**2))
        weights.append(torch.from_numpy(drawn.astype(np.float32)))
    small = torch.from_numpy(pooled(pixels, MOST_PIXELS))[:, None] - 0.5
    with torch.inference_mode():
        return np.concatenate([_responses(small[at : at + AT_ONCE], weights) for at in range(0, len(small), AT_ONCE)])


def _responses(images: "Tensor", weights: "list[Tensor]") -> np.ndarray:
    from torch.nn import functional

    parts, now = [], images
    for weight in weights:
        now = functional.relu(functional.conv2d(now, weight, padding="same"))
        parts.append(functional.adaptive_avg_pool2d(now, GRID if weight is weights[-1] else 1).flatten(1))
        now = functional.avg_pool2d(now, 2)
    return np.concatenate([part.numpy() for part in parts], axis=1)


def user_network(path: Path, *, checksum: str) -> Extractor:
    """A user's TorchScript network: float32 [n, 1, h, w] in 0..1 to features [n, d].

    Parameters
    ----------
    checksum : str
        sha256 of the file, as the user knows it. A script can run any code, so the file is not opened without.

    Raises
    ------
    StorageError
        The file cannot be read.
    ParameterError
        Its sha256 is another, or it is no TorchScript.
    """
    import torch

    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path.name} must be a readable file of weights, got none; give its path") from error
    if (found := sha256(data)) != checksum.lower():
        raise ParameterError(f"{path.name} must have the sha256 {checksum}, got {found}; give the file you checked")
    try:
        network = torch.jit.load(io.BytesIO(data), map_location="cpu").eval()
    except RuntimeError as error:
        raise ParameterError(f"{path.name} must be a TorchScript network, got another file; export it so") from error

    def extract(pixels: Pixels) -> np.ndarray:
        with torch.inference_mode():
            parts = [
                network(torch.from_numpy(pixels[at : at + AT_ONCE])[:, None]) for at in range(0, len(pixels), AT_ONCE)
            ]
            return torch.cat(parts).flatten(1).double().numpy()

    return Extractor(f"user:{path.stem}/sha256-{found[:16]}", extract)
