"""Gradients by record, clipped and summed: what DP-SGD adds noise to.

Belongs here: one gradient per record by ``torch.func`` (``vmap`` of ``grad``), which needs no hooks and no layer that
somebody has taught it. Does not belong here: noise (``private``) or which records.

Clipping is flat: the whole gradient of a record is scaled to at most the norm (Abadi et al., 2016).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

Loss = Callable[..., Tensor]


def record_gradients(network: nn.Module, loss: Loss, *parts: Tensor) -> dict[str, Tensor]:
    """Gradient of each record's loss by name of weight, [records, ...].

    Parameters
    ----------
    loss : callable
        Of the network as a function and one record's parts: a number.
    parts : torch.Tensor, [records, ...]
    """
    weights = {name: part.detach() for name, part in network.named_parameters()}

    def of_one(weights: dict[str, Tensor], *record: Tensor) -> Tensor:
        return loss(lambda *inputs: functional_call(network, weights, inputs), *record)

    return vmap(grad(of_one), in_dims=(None, *(0 for _ in parts)))(weights, *parts)


def clipped_sum(gradients: dict[str, Tensor], norm: float) -> dict[str, Tensor]:
    """Sum over records of gradients scaled to at most ``norm``; one that is not finite counts for nothing."""
    flat = {name: part.flatten(1).float() for name, part in gradients.items()}
    lengths = torch.stack([part.norm(dim=1) for part in flat.values()]).norm(dim=0)
    sound = torch.isfinite(lengths)
    # a shade below, since rounding must not lift a clipped gradient above the norm
    scale = torch.where(sound, (norm * (1 - 1e-5) / lengths).clamp(max=1), 0)
    kept = {name: torch.where(sound[:, None], part, 0) for name, part in flat.items()}
    return {name: (scale @ part).view(gradients[name].shape[1:]) for name, part in kept.items()}
