"""Random features of images that depend on no data: low cosine coefficients and random convolutions.

Belongs here: the fixed map, as torch, so that a generator can be trained through it. Does not belong here: noise.

References
----------
Saxe et al. (2011), On random weights and unsupervised feature learning, ICML: convolutions with random weights keep
much of what tells images apart.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.images.frequencies import Frequencies

MOST_PIXELS = 32
FILTERS, PATCH, CELLS = 32, 5, 4
LOW = 64
SEED = 20_240
FALL = 0.6


class RandomFeatures(nn.Module):
    """First and second moments of the features of one image, as one vector of length at most 1.

    Parameters
    ----------
    size : (int, int)
        Height and width; larger images than 32 pixels are averaged for the convolutions.
    """

    filters: Tensor
    cosines: Tensor

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        draws = torch.Generator().manual_seed(SEED)
        filters = torch.randn(FILTERS, 1, PATCH, PATCH, generator=draws)
        self.register_buffer("filters", (filters - filters.mean((2, 3), keepdim=True)) / PATCH)
        waves = Frequencies(size)
        low = min(LOW, len(waves) // 2)
        weights = (1 + waves.radius[:low]) ** FALL / np.sqrt(len(waves))
        cosines = waves.backward(np.eye(low)).reshape(low, -1) * weights[:, None]
        self.register_buffer("cosines", torch.tensor(cosines, dtype=torch.float32))
        self.halvings = max(1, round(max(size) / MOST_PIXELS))
        self.width = 2 * (low + FILTERS * CELLS * CELLS)

    def forward(self, images: Tensor) -> Tensor:
        """Vectors [n, width] of images [n, h, w] from -1 to 1."""
        coarse = functional.avg_pool2d(images[:, None], self.halvings, ceil_mode=True)
        found = functional.relu(functional.conv2d(coarse, self.filters, stride=2))
        pooled = functional.adaptive_avg_pool2d(found, CELLS).flatten(1)
        first = torch.cat([_unit(images.flatten(1) @ self.cosines.T), _unit(pooled)], 1) / 2**0.5
        return torch.cat([first, _unit(first**2)], 1) / 2**0.5


def _unit(vectors: Tensor) -> Tensor:
    """Vectors shortened to length 1."""
    return vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1)
