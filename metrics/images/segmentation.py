"""Train a segmentation on one set of images and masks, test it on real patients: Dice of the lesion.

Belongs here: a small U-Net and its Dice on real images that hold a lesion. Does not belong here: classification
(``train_test``).

The network is trained for a fixed number of steps whatever the set, half of each batch from images with a lesion. All mask
values above 0 count as lesion. Images larger than 64 pixels are averaged, their masks where half of a block is lesion.

References
----------
Ronneberger, Fischer and Brox, 2015, MICCAI (U-Net). Dice, 1945, Ecology 26:297.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics.discrimination import Interval, percentile_interval
from metrics.images.intensities import Pixels, pooled, unit_pixels
from metrics.images.labels import patient_weights
from metrics.images.one_thread import one_thread
from metrics.plain import plain
from records.images import ImageSchema, ImageTable

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS, BATCH, RATE, WIDTH = 200, 16, 5e-3, 8
MOST_PIXELS, FEWEST_IMAGES, BOOTSTRAPS = 64, 5, 200


@dataclass(frozen=True)
class Dice:
    """Dice of one source; NaN where ``reason`` says why.

    Parameters
    ----------
    dice : Interval
        Mean over test images with a lesion and over seeds, 0 to 1, with its 95 % interval over patients.
    """

    reason: str | None
    dice: Interval
    by_seed: tuple[float, ...]


def segmentation(
    sources: Mapping[str, ImageTable], test: ImageTable, schema: ImageSchema, *, seeds: Sequence[int]
) -> dict[str, Any] | None:
    """Dice on the same test images for each source; ``None`` where the cohort has no masks.

    Parameters
    ----------
    sources : mapping of str to ImageTable
        ``real`` and others, as in ``train_test``.
    """
    if not schema.mask or test.masks is None:
        return None
    shown = test.select(np.flatnonzero(test.masks.any(axis=(1, 2))))
    found = {name: _side(table, shown, schema, seeds) for name, table in sources.items()}
    return plain(
        {"sides": found, "test_images": len(shown), "test_patients": len(shown.patients), "seeds": list(seeds)}
    )


def _side(source: ImageTable, test: ImageTable, schema: ImageSchema, seeds: Sequence[int]) -> Dice:
    reason = _unable(source, test)
    if reason or source.masks is None or test.masks is None:
        return Dice(reason, Interval(float("nan"), float("nan"), float("nan")), ())
    pixels = [pooled(unit_pixels(table, schema), MOST_PIXELS) for table in (source, test)]
    lesions, truth = (
        pooled((masks > 0).astype(np.float32), MOST_PIXELS) >= 0.5 for masks in (source.masks, test.masks)
    )
    drawn = [dice(segmented(pixels[0], lesions, pixels[1], seed), truth) for seed in seeds]
    each = np.mean(drawn, axis=0)
    weights = patient_weights(test.groups(), BOOTSTRAPS, np.random.default_rng(seeds[0]))
    resampled = (weights * each).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return Dice(None, percentile_interval(float(each.mean()), resampled), tuple(float(d.mean()) for d in drawn))


def _unable(source: ImageTable, test: ImageTable) -> str | None:
    if source.masks is None:
        return "the training images have no masks"
    for name, table in (("training", source), ("test", test)):
        shown = 0 if table.masks is None else int((table.masks > 0).any(axis=(1, 2)).sum())
        if shown < FEWEST_IMAGES:
            return f"{shown} {name} images hold a lesion, at least {FEWEST_IMAGES} are needed"
    return None


def dice(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Dice of each image, shape [n]; both masks of shape [n, h, w], 1 where both are empty."""
    both, either = (found & truth).sum(axis=(1, 2)), found.sum(axis=(1, 2)) + truth.sum(axis=(1, 2))
    return np.where(either > 0, 2 * both / np.maximum(either, 1), 1.0)


def segmented(train: Pixels, lesions: np.ndarray, test: Pixels, seed: int) -> np.ndarray:
    """Masks of the test images by a network trained on ``train``, boolean [n, h, w]."""
    import torch
    from torch.nn import functional

    mean, deviation = float(train.mean()), float(train.std()) + 1e-6
    seen, unseen = (torch.from_numpy((pixels - mean) / deviation)[:, None] for pixels in (train, test))
    target = torch.from_numpy(lesions.astype(np.float32))[:, None]
    shown = torch.from_numpy(np.flatnonzero(lesions.any(axis=(1, 2))))
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        network = _network()
        optimiser = torch.optim.AdamW(network.parameters(), RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
        for _ in range(STEPS):
            chosen = torch.cat(
                [shown[torch.randint(len(shown), (BATCH // 2,))], torch.randint(len(seen), (BATCH // 2,))]
            )
            drawn, wanted = network(seen[chosen]), target[chosen]
            loss = functional.binary_cross_entropy_with_logits(drawn, wanted) + _overlap_loss(drawn.sigmoid(), wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            return torch.cat([network(part) for part in unseen.split(256)]).squeeze(1).numpy() > 0


def _overlap_loss(drawn: "Tensor", wanted: "Tensor") -> "Tensor":
    """One less the soft Dice of the batch."""
    return 1 - (2 * (drawn * wanted).sum() + 1) / (drawn.sum() + wanted.sum() + 1)


def _network() -> "nn.Module":
    """A U-Net of two levels below the image's own."""
    import torch
    from torch import nn
    from torch.nn import functional

    def block(inputs: int, outputs: int) -> nn.Sequential:
        layers = [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*layers)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.ModuleList([block(1, WIDTH), block(WIDTH, 2 * WIDTH), block(2 * WIDTH, 4 * WIDTH)])
            self.up = nn.ModuleList([block(6 * WIDTH, 2 * WIDTH), block(3 * WIDTH, WIDTH)])
            self.out = nn.Conv2d(WIDTH, 1, 1)

        def forward(self, images: "Tensor") -> "Tensor":
            kept, now = [], images
            for level, layer in enumerate(self.down):
                now = layer(functional.max_pool2d(now, 2, ceil_mode=True) if level else now)
                kept.append(now)
            for layer, beside in zip(self.up, kept[-2::-1], strict=True):
                now = layer(torch.cat([functional.interpolate(now, size=beside.shape[2:]), beside], 1))
            return self.out(now)

    return Net()
