"""A small network over one hospital's patients, for trainings in which only sums over hospitals are told.

Belongs here: inputs scaled by the codebook, the network, sums of its gradients, and risks. Does not belong here: adding up
over hospitals, noise and the optimiser (``federation``).

Inputs come from the public codebook alone, so that all hospitals mean the same by a weight: a number is moved and scaled so
that values spread evenly over its bounds have mean 0 and variance 1; a category has one input for each level but the
first; what may be missing has one more input that says so. The network is linear, tanh, linear to log-odds; without hidden
units it is a logistic regression. Arithmetic is in double precision.

References
----------
Abadi et al. (2016), Deep learning with differential privacy (CCS): gradients of each patient, cut in norm. Glorot and Bengio
(2010), Understanding the difficulty of training deep feedforward neural networks (first weights).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import binary_cross_entropy_with_logits

from records.discretisation import encode_column, value_levels
from records.errors import ParameterError
from records.outcome import binary_outcome
from records.schema import Column, Kind, Outcome, Schema

AT_ONCE = 1024
EVEN = math.sqrt(12)  # width of a uniform distribution of variance 1


@dataclass(frozen=True)
class Examples:
    """Inputs of shape (patients, inputs) and labels of shape (patients,), 0 or 1; both double."""

    inputs: Tensor
    labels: Tensor


def examples(table: pl.DataFrame, schema: Schema, outcome: Outcome, covariates: Sequence[Column]) -> Examples:
    """The patients of ``table`` whose outcome is known; missing covariates are an input of their own."""
    labelled = table.with_columns(binary_outcome(table, schema, outcome).alias("_label"))
    known = labelled.filter(pl.col("_label").is_not_null())
    blocks = [_block(known[column.name], column) for column in covariates]
    inputs = np.concatenate([np.zeros((known.height, 0)), *blocks], axis=1)
    return Examples(torch.from_numpy(inputs), torch.from_numpy(known["_label"].to_numpy().astype(np.float64)))


class FederatedLearner:
    """The network at one hospital; weights are one flat array: first layer, its offsets, last layer, its offset.

    Parameters
    ----------
    covariates : sequence of Column
    hidden : int
        Units; 0 for none.
    seed : int
        Of the first weights.
    learnt, judged : Examples
        Training and held-out patients.
    first_offset : float
        Log-odds at which risks start.
    """

    def __init__(
        self, covariates: Sequence[Column], hidden: int, seed: int, learnt: Examples, judged: Examples,
        *, first_offset: float = 0.0,
    ) -> None:  # fmt: skip
        self._covariates, self._hidden, self._seed = tuple(covariates), hidden, seed
        self._first_offset = first_offset
        self._learnt, self._judged = learnt, judged
        self._inputs = len(_input_names(self._covariates))

    @property
    def size(self) -> int:
        """Number of weights."""
        return self._hidden * (self._inputs + 2) + 1 if self._hidden else self._inputs + 1

    @property
    def patients(self) -> int:
        """Training patients."""
        return len(self._learnt.labels)

    @property
    def architecture(self) -> dict[str, Any]:
        """What the weights belong to."""
        names = _input_names(self._covariates)
        scales = {c.name: {"centre": _centre(c), "spread": _spread(c)} for c in self._covariates if c.numeric}
        return {"inputs": names, "scales": scales, "hidden": self._hidden, "activation": "tanh", "seed": self._seed}

    def start(self) -> np.ndarray:
        """Small random weights; offsets are 0 but the last."""
        draws, first = np.random.default_rng(self._seed), self._hidden * self._inputs
        weights = np.zeros(self.size)
        if self._hidden:
            weights[:first] = _even(draws, first, self._inputs + self._hidden)
            weights[first + self._hidden : -1] = _even(draws, self._hidden, self._hidden + 1)
        weights[-1] = self._first_offset
        return weights

    def loss_gradient(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Sums of log loss and of its gradient over training patients."""
        flat = torch.from_numpy(weights).clone().requires_grad_()
        loss = self._losses(flat, self._learnt.inputs, self._learnt.labels).sum()
        (gradient,) = torch.autograd.grad(loss, flat)
        return float(loss.detach()), gradient.numpy()

    def clipped(self, weights: np.ndarray, clip: float, units: int) -> np.ndarray:
        """Sum of training patients' gradients, each cut to norm ``clip``, in whole numbers of ``clip / units``.

        Each patient's part is rounded towards zero and has at most norm ``units``, checked in whole numbers: a part that
        is longer by an accident of floating point, or not finite, counts as nothing.
        """
        flat, total = torch.from_numpy(weights), np.zeros(self.size, np.int64)
        each = vmap(grad(self._losses), in_dims=(None, 0, 0))
        for start in range(0, self.patients, AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            total += cut(each(flat, self._learnt.inputs[rows], self._learnt.labels[rows]).numpy(), clip, units).sum(
                axis=0
            )
        return total

    def risks(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chances of the outcome of held-out patients, and their labels."""
        odds = self._log_odds(torch.from_numpy(weights), self._judged.inputs)
        return torch.sigmoid(odds).numpy(), self._judged.labels.numpy()

    def _losses(self, weights: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(self._log_odds(weights, inputs), labels, reduction="none")

    def _log_odds(self, weights: Tensor, inputs: Tensor) -> Tensor:
        if not self._hidden:
            return inputs @ weights[:-1] + weights[-1]
        first = self._hidden * self._inputs
        layer = weights[:first].reshape(self._inputs, self._hidden)
        offsets, last = weights[first:-1].split(self._hidden)
        return torch.tanh(inputs @ layer + offsets) @ last + weights[-1]


def cut(gradients: np.ndarray, clip: float, units: int) -> np.ndarray:
    """Whole numbers, row by row of norm at most ``units``, that stand for gradients cut to norm ``clip``."""
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(gradients, axis=1, keepdims=True)
        scaled = gradients * (np.minimum(1, clip / norms) / clip * units)
    whole = np.trunc(np.clip(np.nan_to_num(scaled), -units, units)).astype(np.int64)
    sound = np.isfinite(norms[:, 0]) & ((whole**2).sum(axis=1) <= units**2)
    return whole * sound[:, None]


def _block(series: pl.Series, column: Column) -> np.ndarray:
    """A column's inputs, shape (patients, inputs)."""
    if column.kind is Kind.CATEGORY:
        levels = np.eye(value_levels(column) + 1)[encode_column(series, column)]
        return levels[:, 1:] if column.missing else levels[:, 1:-1]
    missing = series.is_null().to_numpy().astype(float)
    numbers = series.cast(pl.Float64).fill_null(_centre(column)).to_numpy()
    scaled = (np.clip(numbers, *_bounds(column)) - _centre(column)) / _spread(column)
    return np.column_stack([scaled, missing] if column.missing else [scaled])


def _input_names(covariates: Sequence[Column]) -> list[str]:
    names = list[str]()
    for column in covariates:
        own = [f"{column.name}: {label}" for label in list(column.levels.values())[1:]]
        names += own if column.kind is Kind.CATEGORY else [column.name]
        names += [f"{column.name}: missing"] if column.missing else []
    return names


def _centre(column: Column) -> float:
    low, high = _bounds(column)
    return (low + high) / 2


def _spread(column: Column) -> float:
    low, high = _bounds(column)
    return max(high - low, 1e-9) / EVEN


def _bounds(column: Column) -> tuple[float, float]:
    if column.minimum is None or column.maximum is None:
        raise ParameterError(f"{column.name} must have bounds in the codebook, got none; leave it out")
    return column.minimum, column.maximum


def _even(draws: np.random.Generator, size: int, ends: int) -> np.ndarray:
    return (2 * draws.random(size) - 1) * math.sqrt(6 / ends)
