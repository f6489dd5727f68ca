"""A small convolutional network that takes noise from images, for a noise level and a condition.

Belongs here: the network and its starting weights. Does not belong here: noise levels and loss (``denoising``).

A U-Net of two resolutions (Ronneberger et al., 2015; Ho, Jain and Abbeel, 2020) without normalisation weights: noise
level and condition scale and shift the normalised features instead (Perez et al., 2018), so that few weights share
the noise of DP-SGD. Images larger than the grid are folded into channels. Scans lie alike, so that the place of a
point is told in channels of their own.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

FREQUENCIES = 8
PLACES = 6
GROUP = 8


class Denoiser(nn.Module):
    """Noisy images in, an equally large correction out.

    Parameters
    ----------
    channels : int
        Grey and masks.
    size : (int, int)
    conditions : int
        Length of the condition vector.
    width, grid : int
        See ``settings.Settings``.
    """

    places: Tensor
    rates: Tensor

    def __init__(self, channels: int, size: tuple[int, int], conditions: int, *, width: int, grid: int) -> None:
        super().__init__()
        self.fold = 2 ** max(0, math.ceil(math.log2(max(size) / grid)))
        multiple = 2 * self.fold
        self.size, self.padded = size, tuple(-(-side // multiple) * multiple for side in size)
        folded, embedding = channels * self.fold**2, 2 * width
        self.register_buffer("places", _places(self.padded[0] // self.fold, self.padded[1] // self.fold))
        self.register_buffer("rates", 2.0 ** torch.arange(FREQUENCIES) / 2)
        self.embedded = nn.Linear(2 * FREQUENCIES + conditions, embedding)
        self.first = nn.Conv2d(folded + PLACES, width, 3, padding=1)
        self.before = Block(width, width, embedding)
        self.down = nn.Conv2d(width, 2 * width, 2, stride=2)
        self.middle = nn.ModuleList(Block(2 * width, 2 * width, embedding) for _ in range(2))
        self.after = Block(3 * width, width, embedding)
        self.last = nn.Conv2d(width, folded, 3, padding=1)

    def forward(self, images: Tensor, levels: Tensor, conditions: Tensor) -> Tensor:
        """Correction of shape [n, c, h, w].

        Parameters
        ----------
        images : torch.Tensor of float, [n, c, h, w]
            Noisy, scaled to unit variance.
        levels : torch.Tensor of float, [n]
            Logarithm of the noise level, divided by 4.
        conditions : torch.Tensor of float, [n, k]
        """
        waves = levels[:, None] * self.rates
        known = functional.silu(self.embedded(torch.cat([waves.sin(), waves.cos(), conditions], dim=1)))
        height, width = self.size
        wide = functional.pad(images, (0, self.padded[1] - width, 0, self.padded[0] - height), mode="replicate")
        folded = functional.pixel_unshuffle(wide, self.fold)
        places = self.places.expand(len(images), -1, -1, -1)
        fine = self.before(self.first(torch.cat([folded, places], dim=1)), known)
        coarse = self.down(fine)
        for block in self.middle:
            coarse = block(coarse, known)
        raised = functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        state = self.after(torch.cat([fine, raised], dim=1), known)
        return functional.pixel_shuffle(self.last(functional.silu(state)), self.fold)[..., :height, :width]


class Block(nn.Module):
    """Two convolutions on normalised input, added to it."""

    def __init__(self, entering: int, leaving: int, embedding: int) -> None:
        super().__init__()
        self.entering = nn.GroupNorm(entering // GROUP, entering, affine=False)
        self.leaving = nn.GroupNorm(leaving // GROUP, leaving, affine=False)
        self.first = nn.Conv2d(entering, leaving, 3, padding=1)
        self.known = nn.Linear(embedding, 2 * leaving)
        self.second = nn.Conv2d(leaving, leaving, 3, padding=1)
        self.past = nn.Conv2d(entering, leaving, 1) if entering != leaving else nn.Identity()

    def forward(self, state: Tensor, known: Tensor) -> Tensor:
        """``state`` of shape [n, entering, h, w], ``known`` of shape [n, embedding]."""
        inner = self.first(functional.silu(self.entering(state)))
        scale, shift = self.known(known)[:, :, None, None].chunk(2, dim=1)
        inner = self.second(functional.silu(self.leaving(inner) * (1 + scale) + shift))
        return self.past(state) + inner


def started(network: Denoiser, draws: torch.Generator) -> Denoiser:
    """The network with fresh weights: what is added to something begins at zero."""
    for name, weights in network.named_parameters():
        if weights.dim() == 1 or name.startswith("last") or "second" in name:
            nn.init.zeros_(weights)
        else:
            nn.init.normal_(weights, std=weights[0].numel() ** -0.5, generator=draws)
    return network


def _places(height: int, width: int) -> Tensor:
    """Row and column as cosines of half a wave, a wave and one and a half, [1, 6, h, w]."""
    down, across = ((torch.arange(side) + 0.5) / side for side in (height, width))
    waves = torch.arange(1, PLACES // 2 + 1) * math.pi
    rows = torch.cos(waves[:, None] * down)[:, :, None].expand(-1, -1, width)
    columns = torch.cos(waves[:, None] * across)[:, None, :].expand(-1, height, -1)
    return torch.cat([rows, columns])[None].contiguous()
