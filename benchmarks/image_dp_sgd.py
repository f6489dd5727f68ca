"""Speed of gradients by record for images: ``python -m benchmarks.image_dp_sgd [--repeats 3]``.

Belongs here: images a second of one clipped sum of gradients, by ``torch.func`` as ``models.images.diffusion`` does it
and by Opacus' hooks, on the same network, images and threads in one run, written to ``docs/benchmarks/image_dp_sgd.md``.
Does not belong here: what is learnt (``docs/benchmarks/images.md``).

Both are timed by the CPU time of the process, so that others on the machine do not count; they take turns, and the best
of the repeats is kept.
"""

import argparse
import copy
import itertools
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import cast

import opacus
import torch
from opacus import GradSampleModule
from torch import Tensor

from models.images.diffusion.denoising import losses
from models.images.diffusion.encoding import Records
from models.images.diffusion.network import Denoiser, started
from models.images.diffusion.private import _mean_loss, drawn_parts
from models.images.diffusion.record_gradients import clipped_sum, record_gradients
from models.images.diffusion.settings import CPU

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "image_dp_sgd.md"
SIZES, WIDTHS, BATCHES, DRAWS = (28, 64), (CPU.width, 2 * CPU.width), (16, 64), (1, 4)
NORM = 0.5
Sums = dict[str, Tensor]


def by_func(network: Denoiser, parts: tuple[Tensor, ...]) -> Sums:
    """As the diffusion model is trained."""
    return clipped_sum(record_gradients(network, _mean_loss, *parts), NORM)


def by_hooks(guarded: GradSampleModule, parts: tuple[Tensor, ...]) -> Sums:
    """By Opacus' hooks: one gradient for each draw, added up by record and clipped as ours."""
    records, draws = parts[2].shape
    (losses(guarded, *(part.flatten(0, 1) for part in parts)).sum() / draws).backward()
    sums: Sums = {}
    for name, weights in guarded._module.named_parameters():
        each = cast(Tensor, weights.grad_sample)  # type: ignore[attr-defined]
        sums[name] = each.view(records, draws, *weights.shape).sum(1) if draws > 1 else each
    guarded.zero_grad()
    return clipped_sum(sums, NORM)


def seconds(work: Callable[[], Sums]) -> float:
    """CPU time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measured(size: int, width: int, batch: int, draws: int, repeats: int) -> tuple[float, float, float, int]:
    """Images (draws) a second of ours and of the hooks, and how far their sums lie apart at most, relative;
    and the number of weights."""
    chance = torch.Generator().manual_seed(0)
    network = started(Denoiser(1, (size, size), 2, width=width, grid=CPU.grid), chance)
    for weights in network.parameters():
        weights.data += 0.02 * torch.randn(weights.shape, generator=chance)
    images = torch.rand(batch, 1, size, size, generator=chance)
    ones = torch.ones(batch, dtype=torch.int64)
    records = Records(images, torch.eye(2)[torch.arange(batch) % 2], (2,), torch.arange(batch), ones)
    parts = drawn_parts(records, torch.arange(batch), draws, chance)
    guarded = GradSampleModule(copy.deepcopy(network), loss_reduction="sum")
    ours, theirs = by_func(network, parts), by_hooks(guarded, parts)
    apart = max(float((ours[n] - theirs[n]).abs().max() / theirs[n].abs().max()) for n in ours)
    turns = [
        (seconds(lambda: by_func(network, parts)), seconds(lambda: by_hooks(guarded, parts))) for _ in range(repeats)
    ]
    first, second = (min(turn[side] for turn in turns) for side in (0, 1))
    return batch * draws / first, batch * draws / second, apart, sum(part.numel() for part in network.parameters())


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Full backward hook")
    lines = []
    for size, width, draws, batch in itertools.product(SIZES, WIDTHS, DRAWS, BATCHES):
        ours, hooks, apart, weights = measured(size, width, batch, draws, repeats)
        cells = (
            size,
            f"{weights:,}",
            batch,
            draws,
            f"{ours:.0f}",
            f"{hooks:.0f}",
            f"{ours / hooks:.2f}",
            f"{apart:.0e}",
        )
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
        print(lines[-1], flush=True)
    PAGE.write_text(_page(lines))


def _page(lines: list[str]) -> str:
    return f"""# DP-SGD on images: gradients by record

`python -m benchmarks.image_dp_sgd`, one thread, {platform.machine()}, torch {torch.__version__}, Opacus {opacus.__version__}; the network of the CPU
settings and one of twice its width. The machine was shared while this ran: read the ratios, not the images a second.

One clipped sum of gradients, without noise and optimiser, which are the same for both. *Draws* are noise levels of a
record whose gradients are averaged before clipping. Images a second count draws. CPU time of the process, best of the
repeats, both in turns in one run. *Apart* is the largest difference of the two sums, relative to the largest entry.
The CPU settings hold {CPU.at_once} records of {CPU.draws} draws at once. Small networks on fewer gain little or nothing.

| pixels a side | weights | records | draws | `vmap(grad)`, images/s | Opacus hooks, images/s | ratio | apart |
|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


if __name__ == "__main__":
    main()
