"""A neural synthesizer: attributes drawn one after the other, in any order, by a transformer.

Belongs here: the ``Synthesizer`` that ties encoding, training and drawing together. Does not belong here: the network
(``transformer``), its training (``training``, ``dp_sgd``) or its accounting (``sampled_gaussian``).
"""

from typing import Self, cast

import numpy as np
import polars as pl
import torch

from models.attributes import CLASS, decode_attributes, encode_attributes, evidence
from models.conditional_sampling import stratified
from models.dp_sgd import noisy_count, privately_trained
from models.given import conditions
from models.rows import within_constraints
from models.sampled_gaussian import Plan, planned
from models.training import Progress, Training, one_thread, trained
from models.transformer import HIDDEN, AttributeTransformer, started
from records.errors import ParameterError, PhaseIVError
from records.privacy import PrivacySpend
from records.schema import Schema

FEWEST_PATIENTS = 50
ROWS_AT_ONCE = 2048


class TransformerSynthesizer:
    """Any-order autoregressive transformer (Hoogeboom et al., 2022; Tiwald et al., 2025, TabularARGN).

    The network learns every attribute given every subset of the others. Rows start with what is given and fill the
    rest in a random order of their own, so that any condition is met without learning again. Missing is a level, and
    follow-up time and event are one attribute.

    Parameters
    ----------
    width, heads : int
        ``width`` is a multiple of ``heads``.
    layers, epochs : int or None
        By default 2 and at most 60. Under differential privacy 1 and 30 on average, for few weights drown in less noise.
    batch_size : int
        Patients in a step without differential privacy; small tables take fewer.
    sampling_rate : float
        Chance of a patient to be in a step under differential privacy, up to 0.5.
    learning_rate : float
    delta : float
        For the epsilon that ``privacy_`` states.
    progress : callable or None
        Told the share of the training done, 0 to 1.

    Attributes
    ----------
    network_ : torch.nn.Module
    training_ : Training
        Losses and number of epochs.
    plan_ : Plan or None
        Noise of a private training.
    privacy_ : PrivacySpend
    secure_ : bool
        ``False``: noise is floating point, so that a release is refused even under differential privacy.
    total_ : int
        Number of patients, noisy under differential privacy.

    Notes
    -----
    Under differential privacy a fitted model cannot be made again from stored answers: the same question asked again
    is a new one and costs again. ``sampled_gaussian`` tells what its rho means.
    """

    def __init__(
        self, *, width: int = 32, layers: int | None = None, heads: int = 2, epochs: int | None = None, batch_size: int = 256,
        sampling_rate: float = 0.05, learning_rate: float = 5e-3, delta: float = 1e-5,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self.width = width
        self.layers = layers
        self.heads = heads
        self.epochs = epochs
        self.batch_size = batch_size
        self.sampling_rate = sampling_rate
        self.learning_rate = learning_rate
        self.delta = delta
        self.progress = progress

    def fit(self, table: pl.DataFrame, schema: Schema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Train on ``table`` (one patient per row); a fit that fails leaves the synthesizer as it was.

        Parameters
        ----------
        budget : float or None
            Truncated zCDP rho; ``None`` for no differential privacy.
        rng : numpy.random.Generator
            Starting weights, masks, batches and noise all come from it: who knows its seed can take the noise away.

        Raises
        ------
        ParameterError
            A parameter or the budget is out of its range, or there are fewer than 50 patients.
        PhaseIVError
            Training did not lower the loss, or the noisy number of patients is below 50.
        """
        layers, epochs = self._sizes(budget)
        encoded = encode_attributes(table, schema)
        levels = {name: count for name, (_, count) in encoded.items() if name != CLASS}
        codes = torch.from_numpy(np.stack([encoded[name][0] for name in levels], axis=1).astype(np.int64))
        draws = torch.Generator().manual_seed(int(rng.integers(2**63)))
        with one_thread():
            done, total, plan = self._trained(codes, list(levels.values()), (layers, epochs), budget, draws)
        self.schema_, self.attributes_, self.total_ = schema, list(levels), total
        self.network_, self.training_, self.plan_ = done.network, done, plan
        self.privacy_ = plan.spend() if plan else PrivacySpend()
        self.secure_ = False
        return self

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """Draw rows that fulfil the schema's constraints; see ``records.protocols.Synthesizer``."""
        wanted = None if given is None else conditions(given, self.schema_, n)
        total = (n or self.total_) if wanted is None else wanted.height

        def drawn(rows: np.ndarray) -> pl.DataFrame:
            portions = np.array_split(rows, -(-rows.size // ROWS_AT_ONCE))
            return pl.concat([self._drawn(p.size, None if wanted is None else wanted[p], rng) for p in portions])

        with one_thread(), torch.no_grad():
            return within_constraints(drawn, total, self.schema_)

    def _trained(
        self, codes: torch.Tensor, levels: list[int], sizes: tuple[int, int], budget: float | None,
        draws: torch.Generator,
    ) -> tuple[Training, int, Plan | None]:  # fmt: skip
        layers, epochs = sizes
        network = started(levels, width=self.width, layers=layers, heads=self.heads, draws=draws)
        settings = {"learning_rate": self.learning_rate, "draws": draws, "progress": self.progress}
        if budget is None:
            if len(codes) < FEWEST_PATIENTS:
                raise ParameterError(
                    f"the table must have at least {FEWEST_PATIENTS} rows, got {len(codes)}; add patients"
                )
            done = trained(network, codes, epochs=epochs, batch_size=self.batch_size, **settings)
            return done, len(codes), None
        steps = max(1, round(epochs / self.sampling_rate))
        plan = planned(budget, self.delta, sampling_rate=self.sampling_rate, steps=steps)
        patients = noisy_count(codes, plan, draws)
        if patients < FEWEST_PATIENTS:
            raise PhaseIVError(
                f"the noisy number of patients must be at least {FEWEST_PATIENTS}, got {patients}; add patients or "
                "raise epsilon"
            )
        return privately_trained(network, codes, plan, patients=patients, **settings), patients, plan

    def _drawn(self, n: int, given: pl.DataFrame | None, rng: np.random.Generator) -> pl.DataFrame:
        known, allowed = ({}, {}) if given is None else evidence(given, self.schema_)
        codes = np.full((n, len(self.attributes_)), HIDDEN)
        turn = rng.random(codes.shape)
        for position, name in enumerate(self.attributes_):
            if name in known:
                codes[:, position], turn[:, position] = known[name], 2
            elif name in allowed:
                turn[:, position] = -1
        order, rows = turn.argsort(axis=1), np.arange(n)
        network = cast(AttributeTransformer, self.network_)
        for step in range(len(self.attributes_) - len(known)):
            here = order[:, step]
            states = network.states(torch.from_numpy(codes))[rows, here]
            weights = network.weights(states, torch.from_numpy(here)).double().numpy()
            if step == 0 and allowed:
                mask = next(iter(allowed.values()))
                weights[:, : mask.shape[1]][~mask] = -np.inf
            shares = np.exp(weights - weights.max(axis=1, keepdims=True))
            codes[rows, here] = stratified(shares, rows, rng)
        frame = decode_attributes(dict(zip(self.attributes_, codes.T, strict=True)), self.schema_, rng)
        return frame if given is None else frame.with_columns(given[name] for name in given.columns)

    def _sizes(self, budget: float | None) -> tuple[int, int]:
        """Layers and epochs, once all parameters are found to be in their range."""
        layers, epochs = (2, 60) if budget is None else (1, 30)
        layers = layers if self.layers is None else self.layers
        epochs = epochs if self.epochs is None else self.epochs
        sizes = (self.width, layers, self.heads, epochs, self.batch_size)
        if min(sizes) < 1 or self.width % self.heads or not 0 < self.learning_rate < 1:
            raise ParameterError(
                f"width, layers, heads, epochs and batch_size must be positive, heads divide width and learning_rate "
                f"lie between 0 and 1, got {sizes} and {self.learning_rate}; keep the defaults"
            )
        if budget is not None and not 0 < budget < float("inf"):
            raise ParameterError(f"budget must be positive or none, got {budget}; choose an epsilon, or none")
        return layers, epochs
