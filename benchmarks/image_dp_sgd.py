"""Speed of gradients by record for images: ``python -m benchmarks.image_dp_sgd [--repeats 3]``.

Belongs here: images a second of one clipped sum of gradients, by ``torch.func`` as ``models.images.diffusion`` does it
and by Opacus' hooks, on the same network, images and threads in one run, written to ``docs/benchmarks/image_dp_sgd.md``.
Does not belong here: what is learnt (``docs/benchmarks/images.md``).

Both are timed by the CPU time of the process, so that others on the machine do not count; they take turns, and the best
of the repeats is kept.
"""

import argparse
import copy
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path

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
SIZES, BATCHES, DRAWS = (28, 64), (16, 32, 64), (1, 4)
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
        each = weights.grad_sample
        sums[name] = each.view(records, draws, *weights.shape).sum(1) if draws > 1 else each
    guarded.zero_grad()
    return clipped_sum(sums, NORM)


def seconds(work: Callable[[], Sums]) -> float:
    """CPU time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measured(size: int, batch: int, draws: int, repeats: int) -> tuple[float, float, float]:
    """Images (draws) a second of ours and of the hooks, and how far their sums lie apart at most, relative."""
    chance = torch.Generator().manual_seed(0)
    network = started(Denoiser(1, (size, size), 2, width=CPU.width, grid=CPU.grid), chance)
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
    return batch * draws / first, batch * draws / second, apart


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Full backward hook")
    lines = []
    for size in SIZES:
        for draws in DRAWS:
            for batch in BATCHES:
                ours, hooks, apart = measured(size, batch, draws, repeats)
                lines.append(
                    f"| {size} | {batch} | {draws} | {ours:.0f} | {hooks:.0f} | {ours / hooks:.2f} | {apart:.0e} |"
                )
                print(lines[-1], flush=True)
    weights = sum(part.numel() for part in Denoiser(1, (28, 28), 2, width=CPU.width, grid=CPU.grid).parameters())
    PAGE.write_text(_page(lines, weights))


def _page(lines: list[str], weights: int) -> str:
    return f"""# DP-SGD on images: gradients by record

`python -m benchmarks.image_dp_sgd`, one thread of {platform.processor() or platform.machine()}, torch
{torch.__version__}, Opacus {opacus.__version__}. Network of the CPU settings ({weights:,} weights at 28 x 28).

One clipped sum of gradients, without noise and optimiser, which are the same for both. *Draws* are noise levels of a
record whose gradients are averaged before clipping. Images a second count draws. CPU time of the process, best of the
repeats, both in turns in one run. *Apart* is the largest difference of the two sums, relative to the largest entry.

| pixels a side | records | draws | `vmap(grad)`, images/s | Opacus hooks, images/s | ratio | apart |
|---|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


if __name__ == "__main__":
    main()
