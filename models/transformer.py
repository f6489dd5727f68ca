"""A transformer over discrete attributes, one token each, that predicts the hidden ones from the known ones.

Belongs here: the network, its starting weights and its loss. Does not belong here: training it (``training``,
``dp_sgd``) or drawing rows (``autoregressive``).

Attention has no order of its own and the loss hides a random subset, so that the network learns the conditional of
every attribute given every subset of the others (Uria, Murray and Larochelle, 2014; Hoogeboom et al., 2022). Layers
are plain linear, embedding and normalisation layers, whose gradients Opacus knows per patient.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN = -1


class AttributeTransformer(nn.Module):
    """Levels of some attributes in, log-weights of the levels of all attributes out.

    Parameters
    ----------
    levels : sequence of int
        Number of levels of each attribute.
    width, layers, heads : int
        ``width`` must be a multiple of ``heads``.
    """

    offsets: Tensor
    absent: Tensor
    slots: Tensor

    def __init__(self, levels: Sequence[int], *, width: int, layers: int, heads: int) -> None:
        super().__init__()
        counts = torch.tensor(levels)
        offsets = counts.cumsum(0) - counts
        slots = torch.arange(int(counts.max()))
        self.register_buffer("offsets", offsets)
        self.register_buffer("absent", slots >= counts[:, None])
        self.register_buffer("slots", (offsets[:, None] + slots).clamp(max=int(counts.sum()) - 1))
        self.value = nn.Embedding(int(counts.sum()) + 1, width)
        self.attribute = nn.Embedding(len(levels), width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, int(counts.sum()))

    def forward(self, codes: Tensor) -> Tensor:
        """Log-weights of shape (..., attributes, most levels); minus infinity where an attribute has no such level.

        Parameters
        ----------
        codes : torch.Tensor of int64, shape (..., attributes)
            Level numbers, ``HIDDEN`` where unknown.
        """
        return self.weights(self.states(codes), torch.arange(codes.shape[-1]))

    def states(self, codes: Tensor) -> Tensor:
        """What is made of each attribute in the light of the others, shape (..., attributes, width)."""
        unknown = self.value.num_embeddings - 1
        tokens = torch.where(codes == HIDDEN, unknown, codes + self.offsets)
        state = self.value(tokens) + self.attribute(torch.arange(codes.shape[-1]).expand(codes.shape))
        for block in self.blocks:
            state = block(state)
        return state

    def weights(self, states: Tensor, attributes: Tensor) -> Tensor:
        """Log-weights of ``attributes``, whose numbers broadcast to the leading axes of ``states``."""
        scores = self.head(self.norm(states))
        own = scores.gather(-1, self.slots[attributes].expand(*states.shape[:-1], -1))
        return own.masked_fill(self.absent[attributes], -math.inf)


class Block(nn.Module):
    """Self-attention and a small perceptron, each on normalised input and added to it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.wider = nn.Linear(width, 2 * width)
        self.narrower = nn.Linear(2 * width, width)

    def forward(self, state: Tensor) -> Tensor:
        """``state`` of shape (..., attributes, width), and so the result."""
        parts = self.query_key_value(self.norms[0](state)).chunk(3, dim=-1)
        query, key, value = (p.unflatten(-1, (self.heads, -1)).transpose(-2, -3) for p in parts)
        seen = functional.scaled_dot_product_attention(query, key, value)
        state = state + self.mixed(seen.transpose(-2, -3).flatten(-2))
        return state + self.narrower(functional.gelu(self.wider(self.norms[1](state))))


def started(
    levels: Sequence[int], *, width: int, layers: int, heads: int, draws: torch.Generator
) -> AttributeTransformer:
    """A network with starting weights from ``draws``; torch's global generator is left as it was.

    The head starts at zero, so that every level of an attribute is equally likely at first.
    """
    with torch.random.fork_rng(devices=[]):
        network = AttributeTransformer(levels, width=width, layers=layers, heads=heads)
    for name, weights in network.named_parameters():
        if name.startswith("head") or name.endswith("bias"):
            nn.init.zeros_(weights)
        elif weights.dim() == 2:
            nn.init.normal_(weights, std=weights.shape[1] ** -0.5, generator=draws)
    return network


def hidden(codes: Tensor, masks: int, draws: torch.Generator) -> Tensor:
    """Copies of ``codes`` with random subsets hidden: their number is uniform over 1 to all.

    Returns
    -------
    torch.Tensor of int64, shape (patients, masks, attributes)
    """
    patients, attributes = codes.shape
    rank = torch.rand(patients, masks, attributes, generator=draws).argsort(-1).argsort(-1)
    known = torch.randint(attributes, (patients, masks, 1), generator=draws)
    return codes[:, None].masked_fill(rank >= known, HIDDEN)


def surprise(network: nn.Module, codes: Tensor, shown: Tensor) -> Tensor:
    """Mean negative log-likelihood (nats) of a hidden attribute, by patient.

    Parameters
    ----------
    codes : torch.Tensor of int64, shape (patients, attributes)
    shown : torch.Tensor of int64, shape (patients, masks, attributes)
        From ``hidden``.

    Returns
    -------
    torch.Tensor of float, shape (patients,)
    """
    weights = network(shown).flatten(0, 2)
    wanted = codes[:, None].expand_as(shown)
    losses = functional.cross_entropy(weights, wanted.flatten(), reduction="none").view(shown.shape)
    unseen = (shown == HIDDEN).float()
    return ((losses * unseen).sum(-1) / unseen.sum(-1)).mean(-1)
