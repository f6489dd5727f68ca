"""Training on images that cost no privacy: central images, or all images where no privacy was asked for.

Belongs here: ordinary stochastic gradient descent and its stopping. Does not belong here: DP-SGD (``private``).
"""

import copy
import math

import torch
from torch import Tensor, nn

from models.images.diffusion.denoising import losses, noise_levels
from models.images.diffusion.encoding import Records, partly_hidden
from models.images.diffusion.network import Denoiser
from models.images.diffusion.precision import mixed
from models.images.diffusion.run import Keep, Run
from models.images.diffusion.settings import Settings
from models.training import Progress, trace
from records.errors import PhaseIVError

HELD_BACK = 0.1
LOOK_EVERY = 50
PATIENCE = 8
LOOKS_AT = 256
LARGEST_NORM = 1.0


def warmed_up(
    run: Run, images: Tensor, conditions: Tensor, widths: tuple[int, ...], settings: Settings, *, keep: Keep
) -> None:  # fmt: skip
    """Learn central images, whose losses are no secret."""
    while run.warmed < settings.warm_up_steps and len(images):
        chosen = torch.randint(len(images), (settings.batch_size,), generator=run.draws, device=images.device)
        loss = _down(run, images[chosen], partly_hidden(conditions[chosen], widths, run.draws))
        run.warmed += 1
        if run.warmed % LOOK_EVERY == 1 or run.warmed == settings.warm_up_steps:
            run.losses.append(loss)
            run.refuse_bad_loss()
        run.follow(run.warmed)
        keep()


def trained(
    run: Run, records: Records, settings: Settings, *, keep: Keep, progress: Progress | None = None
) -> Denoiser:  # fmt: skip
    """Train until the loss of held-back patients (a tenth) has not fallen for 400 steps; the best average.

    Raises
    ------
    PhaseIVError
        The loss is not a number, or never fell.
    """
    held_back, learnt = _split(records, run)
    if not run.losses:
        run.losses.append(_judged(run.network, records, held_back))
    while run.step < settings.plain_steps and len(run.losses) - run.losses.index(min(run.losses)) <= PATIENCE:
        chosen = learnt[_some(len(learnt), settings.batch_size, run.draws)]
        _down(run, records.images[chosen], partly_hidden(records.conditions[chosen], records.widths, run.draws))
        run.step += 1
        run.follow(run.step)
        if run.step % LOOK_EVERY == 0 or run.step == settings.plain_steps:
            run.losses.append(_judged(run.average, records, held_back))
            run.refuse_bad_loss()
            if run.losses[-1] == min(run.losses):
                run.best = copy.deepcopy(run.average)
        keep()
        if progress is not None:
            progress(run.step / settings.plain_steps)
    if min(run.losses) == run.losses[0]:
        raise PhaseIVError(
            f"training must lower the loss of held-back patients, got {trace(run.losses)}; lower the learning rate, "
            "train for more steps or add patients"
        )
    return run.best


def _down(run: Run, images: Tensor, conditions: Tensor) -> float:
    noise = torch.randn(images.shape, generator=run.draws, device=images.device)
    level = noise_levels(len(images), run.draws)
    run.optimiser.zero_grad()
    with mixed(images.device):
        loss = losses(run.network, images, noise, level, conditions).mean()
    loss.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), LARGEST_NORM)
    run.optimiser.step()
    return float(loss.detach())


def _split(records: Records, run: Run) -> tuple[Tensor, Tensor]:
    """Places of held-back and of learnt slices; a resumed run splits as before."""
    order = torch.randperm(len(records), generator=torch.Generator().manual_seed(run.facts["split"]))
    chosen = order[: math.ceil(HELD_BACK * len(records))].to(records.first.device)
    held_back = records.of(chosen)
    rest = torch.ones(len(records.images), dtype=torch.bool, device=held_back.device)
    rest[held_back] = False
    return held_back[:LOOKS_AT], rest.nonzero()[:, 0]


def _some(total: int, count: int, draws: torch.Generator) -> Tensor:
    return torch.randint(total, (count,), generator=draws, device=draws.device)


def _judged(network: nn.Module, records: Records, places: Tensor) -> float:
    """Mean loss at the same noise each time."""
    images, draws = records.images[places], torch.Generator(records.images.device).manual_seed(0)
    noise = torch.randn(images.shape, generator=draws, device=images.device)
    with torch.no_grad(), mixed(images.device):
        level = noise_levels(len(images), draws)
        return float(losses(network, images, noise, level, records.conditions[places]).mean())
