"""The tagger's network in torch: the same as ``deidentification.text.tagger``, that it may learn.

Belongs here: layers and one pass of learning. Does not belong here: what it learns from (``corpus``).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.tagging.corpus import Example, corpus
from deidentification.text.features import BUCKETS, Sort
from deidentification.text.tagger import LAYERS, WIDTH, Tag

ROW, HIDDEN = 32, 128
MEMBERS, PASSES = 3, 3
HIDE = {Sort.WORD: 0.4, Sort.LETTERS: 0.1, Sort.LISTS: 0.08, Sort.SHAPE: 0.0, Sort.RULES: 0.15}
_BLIND = 0.08  # of pieces, that no list knows
_IGNORED = -100


class Network(nn.Module):
    """Rows of features summed, convolutions that look ever further, scores of tags."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(BUCKETS, ROW, mode="sum")
        nn.init.normal_(self.table.weight, std=0.05)
        self.bias = nn.Parameter(torch.zeros(ROW))
        layers = {name: _layer(ROW if at == 0 else HIDDEN, apart) for at, (name, apart) in enumerate(LAYERS.items())}
        self.layers = nn.ModuleDict(layers)
        self.out = nn.Linear(HIDDEN, len(Tag))
        self.drop = nn.Dropout(0.2)

    def forward(self, rows: Tensor, offsets: Tensor, kept: Tensor, mask: Tensor) -> Tensor:
        """Scores of every tag for every piece of a batch; ``mask`` is 0 where a sentence has ended."""
        seen = self.table(rows, offsets, per_sample_weights=kept)
        hidden = torch.relu(seen + self.bias).view(*mask.shape, ROW).transpose(1, 2) * mask[:, None]
        for layer in self.layers.values():
            new = self.drop(torch.relu(layer(hidden))) * mask[:, None]
            hidden = hidden + new if hidden.shape == new.shape else new
        return self.out(hidden.transpose(1, 2))

    def exported(self) -> dict[str, np.ndarray]:
        """The weights as ``deidentification.text.tagger`` reads them."""
        state = {name: value.detach().numpy() for name, value in self.state_dict().items()}
        kernels = {n: state[f"layers.{n}.weight"].transpose(2, 1, 0).reshape(-1, HIDDEN) for n in LAYERS}
        biases = {f"{n}_bias": state[f"layers.{n}.bias"] for n in LAYERS} | {"out_bias": state["out.bias"]}
        made = {
            "table": state["table.weight"],
            "bias": state["bias"],
            "out": state["out.weight"].T,
            **kernels,
            **biases,
        }
        return {name: np.ascontiguousarray(value, dtype=np.float16) for name, value in made.items()}


def _layer(width: int, apart: int) -> nn.Conv1d:
    return nn.Conv1d(width, HIDDEN, WIDTH, padding=WIDTH // 2 * apart, dilation=apart)


def trained(left_out: int | None = None) -> dict[str, np.ndarray]:
    """Weights of a committee, each member with its own seed, as ``deidentification.text.tagger`` reads them; without one
    fold of the notes, if that is named."""
    examples = corpus(left_out)
    members = [learn(examples, seed=seed).exported() for seed in range(MEMBERS)]
    return {name: np.stack([of[name] for of in members]) for name in members[0]}


def learn(examples: Sequence[Example], *, passes: int = PASSES, seed: int = 0, size: int = 64) -> Network:
    """A network trained on the examples; the same for the same seed."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    chance = np.random.default_rng(seed)
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
    batches = _batches(examples, size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=passes * len(batches))
    loss_of = nn.CrossEntropyLoss(ignore_index=_IGNORED, label_smoothing=0.02)
    for _ in range(passes):
        for at in chance.permutation(len(batches)):
            rows, offsets, sorts, mask, tags = _tensors(batches[at])
            scores = network(rows, offsets, _kept(sorts, offsets, chance), mask)
            loss = loss_of(scores.reshape(-1, len(Tag)), tags.reshape(-1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _batches(examples: Sequence[Example], size: int) -> list[Sequence[Example]]:
    """Examples of like length together."""
    by_length = sorted(examples, key=lambda example: len(example.tags))
    return [by_length[at : at + size] for at in range(0, len(by_length), size)]


def _tensors(batch: Sequence[Example]) -> tuple[Tensor, Tensor, np.ndarray, Tensor, Tensor]:
    longest = max(len(example.tags) for example in batch)
    sizes = np.zeros((len(batch), longest), dtype=np.int64)
    tags = np.full((len(batch), longest), _IGNORED, dtype=np.int64)
    for at, example in enumerate(batch):
        sizes[at, : len(example.tags)] = example.sizes
        tags[at, : len(example.tags)] = example.tags
    offsets = np.concatenate([[0], np.cumsum(sizes.ravel())[:-1]])
    rows = np.concatenate([example.rows for example in batch]).astype(np.int64)
    sorts = np.concatenate([example.sorts for example in batch])
    return (
        torch.from_numpy(rows),
        torch.from_numpy(offsets),
        sorts,
        torch.from_numpy((sizes > 0).astype(np.float32)),
        torch.from_numpy(tags),
    )


def _kept(sorts: np.ndarray, offsets: Tensor, chance: np.random.Generator) -> Tensor:
    """Which features are seen this time: some are hidden by their sort, and of some pieces all that lists say."""
    hide = np.array([HIDE[sort] for sort in Sort])[sorts]
    sizes = np.diff(np.append(offsets.numpy(), len(sorts)))
    blind = np.repeat(chance.random(len(sizes)) < _BLIND, sizes) & np.isin(sorts, (Sort.LISTS, Sort.WORD))
    return torch.from_numpy(((chance.random(len(sorts)) >= hide) & ~blind).astype(np.float32))
