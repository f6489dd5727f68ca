"""Noisy mean images of each class, from which learning starts.

Belongs here: the one release of pixels under differential privacy, and its smoothing. Does not belong here: learning
from it (``plain``) or how much noise (``plan``).

DP-FETA (Gong et al., 2025, From easy to hard: building a shortcut for differentially private image synthesis) first
learns central images: noisy means of random subsets. Here a patient's contribution is the mean over the slices, each
scaled to at most a public norm and beside it a constant that counts its class, so that a patient with many slices
weighs as much as another. Frequencies at which noise would drown the image are left out, which costs nothing.
"""

import math

import numpy as np
import torch
from scipy import fft
from torch import Tensor

from models.images.diffusion.encoding import Records
from models.images.diffusion.plan import CENTRAL_RATE, Plan

IMAGE_NORM, COUNT_NORM = 0.75, 0.25  # per square root of pixels, of which an image of -1 and 1 only has norm 1
NOISE_ALLOWED = 0.15  # standard deviation of a pixel in -1 to 1
FEWEST_WAVES = 4
SURE = 5.0  # standard deviations by which a class's share must be above 0


def central_images(records: Records, plan: Plan, *, patients: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Central images of the classes that noise leaves visible.

    Parameters
    ----------
    patients : int
        Noisy number of patients, by which sums are divided.

    Returns
    -------
    torch.Tensor of float, [m, c, h, w]
        Scaled as ``records.images``.
    torch.Tensor of float, [m, k]
        Their class as a condition; other columns are unknown.
    """
    shape, classes = records.images.shape[1:], records.widths[0]
    root = math.sqrt(shape[1] * shape[2])
    parts = contributions(records).flatten(1)
    noise = plan.central_sigma * root * math.hypot(IMAGE_NORM, COUNT_NORM)
    sums = torch.stack([_noisy_sum(parts, noise, draws) for _ in range(plan.central_images)])
    sums = sums.view(plan.central_images, classes, -1)
    expected = CENTRAL_RATE * patients
    shares = sums[..., -1].mean(0) / (expected * COUNT_NORM * root)
    doubt = noise / math.sqrt(plan.central_images) / (expected * COUNT_NORM * root)
    images, conditions = [], []
    for level in (shares > SURE * doubt).nonzero()[:, 0].tolist():
        weight = expected * float(shares[level].clamp(max=1))
        means = (sums[:, level, :-1] / weight).view(-1, *shape)
        images.append(_smoothed(means, noise / weight))
        known = torch.zeros(plan.central_images, records.conditions.shape[1], device=means.device)
        known[:, level] = 1
        conditions.append(known)
    if not images:
        return records.images[:0], records.conditions[:0]
    return torch.cat(images), torch.cat(conditions)


def contributions(records: Records) -> Tensor:
    """What each patient adds to the sums, of norm at most ``hypot(IMAGE_NORM, COUNT_NORM)`` times the root of pixels.

    Returns
    -------
    torch.Tensor of float, [patients, classes, c * h * w + 1]
    """
    images = records.images.flatten(1)
    root = math.sqrt(records.images.shape[2] * records.images.shape[3])
    scale = (IMAGE_NORM * root / images.norm(dim=1).clamp(min=1e-6)).clamp(max=1)
    whole = torch.cat([images * scale[:, None], torch.full_like(images[:, :1], COUNT_NORM * root)], dim=1)
    weight = (1 / records.slices).repeat_interleave(records.slices).float()
    owners = torch.arange(len(records), device=images.device).repeat_interleave(records.slices)
    classes = records.widths[0]
    parts = torch.zeros(len(records) * classes, whole.shape[1], device=images.device)
    parts.index_add_(0, owners * classes + records.classes, whole * weight[:, None])
    return parts.view(len(records), classes, -1)


def _noisy_sum(parts: Tensor, noise: float, draws: torch.Generator) -> Tensor:
    chosen = torch.rand(len(parts), generator=draws, device=draws.device, dtype=draws_type(draws)) < CENTRAL_RATE
    return parts[chosen].sum(0) + noise * torch.randn(parts.shape[1], generator=draws, device=draws.device)


def draws_type(draws: torch.Generator) -> torch.dtype:
    """Type of chances: double where the device knows it, so that a sampling rate is met exactly enough."""
    return torch.float32 if draws.device.type == "mps" else torch.float64


def _smoothed(images: Tensor, deviation: float) -> Tensor:
    """Without the frequencies above a square of low ones, chosen so that noise keeps to what is allowed."""
    height, width = images.shape[2:]
    kept = min(1.0, NOISE_ALLOWED / deviation)  # share of frequencies a side
    waves = np.asarray(fft.dctn(images.cpu().numpy(), axes=(2, 3), norm="ortho"))
    waves[:, :, max(FEWEST_WAVES, round(kept * height)) :, :] = 0
    waves[:, :, :, max(FEWEST_WAVES, round(kept * width)) :] = 0
    smooth = torch.from_numpy(np.asarray(fft.idctn(waves, axes=(2, 3), norm="ortho"))).to(images.device, images.dtype)
    return smooth.clamp(-1, 1)
