"""Noisy contingency tables and private choices for a synthesizer that sees no patient.

Belongs here: the session of a synthesis at one party: tables are summed on shares with noise that no party knows, choices
are made on shares. Does not belong here: which tables to ask for (the synthesizer, at the researcher), or the noise
(``noise``).

One patient changes one cell of each table by one. What a step costs is added up here, at every party, and a step beyond
the job's rho is refused, whatever the researcher says.

References
----------
Pereira et al., 2022, arXiv:2210.02330; Pentyala et al., 2024, CaPS (ICML): selection and measurement on shares.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from federation.comparison import absolute, argmax
from federation.field import multiply, segment_sums
from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.noise import Drawers, choice_part, choice_rho, gaussian_part, gaussian_rho
from federation.runtime import Runtime, Shares
from federation.site import Attributes, Site
from records.errors import ParameterError

MEASURE, CHOOSE = "measure", "choose"
MOST_CELLS = 10_000_000
AT_ONCE = 1 << 14  # cells whose distances are computed together: 61 shared bits each
WEIGHT_UNITS = 16  # of the largest weight; scores are whole numbers
# With these, scores stay below 2^59: what a choice costs is proven for scores that do not wrap round the field.
MOST_ESTIMATE, MOST_PENALTY = 1 << 31, 1 << 57

Clique = tuple[str, ...]


async def synthesis(rt: Runtime, site: Site, job: Job, steps: Steps) -> dict[str, Any]:
    """Answer the steps of a synthesizer until there are no more; see ``MarginalOracle`` for what they ask."""
    holding = job.dataset in site.datasets()
    held = site.attributes(job.dataset, job.filters, job.columns) if holding else {}
    tables = _Tables(rt, job, steps, held)
    answers = {MEASURE: tables.measured, CHOOSE: tables.chosen}
    async for request in steps:
        kinds = answers.keys() & request.keys()
        if len(kinds) != 1:
            raise ParameterError(
                f"a step must be one of {', '.join(answers)}, got {', '.join(sorted(request))}; mend it"
            )
        await steps.answer(await answers[kinds.pop()](request))
    return {"kind": job.kind, "dataset": job.dataset, "parties": rt.parties, "rho": steps.spent}


@dataclass
class _Tables:
    rt: Runtime
    job: Job
    steps: Steps
    held: Attributes
    shared: dict[Clique, Shares] = field(default_factory=dict)

    async def measured(self, request: Mapping[str, Any]) -> np.ndarray:
        """Noisy counts of all tables, one after the other."""
        cliques, shapes = _asked(request, MEASURE)
        sigma, drawers = _number(request, "sigma"), self._drawers
        self.steps.spend(sum(gaussian_rho(sigma, int(np.prod(shape)), drawers) for shape in shapes))
        self.steps.tell(f"{len(cliques)} tables")
        counts = np.concatenate([self._counted(c, s) for c, s in zip(cliques, shapes, strict=True)])
        # Drawing takes seconds for large tables; the other parties' messages are heard meanwhile.
        noise = await asyncio.to_thread(gaussian_part, counts.shape, sigma, drawers)
        return await self.rt.open(await self.rt.input_sum(counts + noise, counts.shape), survive=True)

    async def chosen(self, request: Mapping[str, Any]) -> int:
        """Position of a table that differs much from its estimate."""
        cliques, shapes = _asked(request, CHOOSE)
        sizes = [int(np.prod(shape)) for shape in shapes]
        estimates = _whole(request, "estimates", sum(sizes), -MOST_ESTIMATE, MOST_ESTIMATE)
        weights = _whole(request, "weights", len(cliques), 1, WEIGHT_UNITS)
        penalties = _whole(request, "penalties", len(cliques), -MOST_PENALTY, MOST_PENALTY)
        epsilon = _number(request, "epsilon")
        self.steps.spend(choice_rho(epsilon))
        self.steps.tell(f"choice among {len(cliques)} tables")
        noise = choice_part(len(cliques), int(weights.max()), epsilon, self._drawers)
        distances = segment_sums(await self._distances(cliques, shapes, estimates), np.cumsum([0, *sizes[:-1]]))
        weighted = multiply(distances, weights.astype(np.uint64))
        blurred = await self.rt.input_sum(noise, noise.shape)
        scores = self.rt.subtract(self.rt.add(weighted, blurred), self.rt.public(penalties))
        return await argmax(self.rt, scores)

    @property
    def _drawers(self) -> Drawers:
        return Drawers(self.rt.parties, self.job.colluding)

    async def _distances(self, cliques: Sequence[Clique], shapes: Sequence[tuple[int, ...]], estimates: np.ndarray) -> Shares:  # fmt: skip
        """Absolute difference of each cell from its estimate, on shares."""
        await self._share([(c, s) for c, s in zip(cliques, shapes, strict=True) if c not in self.shared])
        counts = np.concatenate([self.shared[clique] for clique in cliques])
        apart = self.rt.subtract(counts, self.rt.public(estimates))
        return np.concatenate([await absolute(self.rt, apart[i : i + AT_ONCE]) for i in range(0, apart.size, AT_ONCE)])

    async def _share(self, new: Sequence[tuple[Clique, tuple[int, ...]]]) -> None:
        """Share exact counts once; they are compared in every later choice."""
        if not new:
            return
        counts = [self._counted(clique, shape) for clique, shape in new]
        shares = await self.rt.input_sum(np.concatenate(counts), (sum(c.size for c in counts),))
        parts = np.split(shares, np.cumsum([c.size for c in counts])[:-1])
        self.shared |= {clique: part for (clique, _), part in zip(new, parts, strict=True)}

    def _counted(self, clique: Clique, shape: tuple[int, ...]) -> np.ndarray:
        """This party's own counts, flat; nothing where it has no patients."""
        if not self.held:
            return np.zeros(int(np.prod(shape)), np.int64)
        if unknown := [name for name in clique if name not in self.held]:
            raise ParameterError(f"tables must be over attributes of {self.job.dataset}, got {', '.join(unknown)}")
        levels = tuple(self.held[name][1] for name in clique)
        if levels != shape:
            raise ParameterError(
                f"{' x '.join(clique)} must have the codebook's levels {levels}, got {shape}; agree on one codebook"
            )
        flat = np.zeros(len(self.held[clique[0]][0]), np.int64)
        for name, count in zip(clique, levels, strict=True):
            flat = flat * count + self.held[name][0]
        return np.bincount(flat, minlength=int(np.prod(levels)))


def _asked(request: Mapping[str, Any], kind: str) -> tuple[list[Clique], list[tuple[int, ...]]]:
    try:
        cliques = [tuple(map(str, names)) for names in request[kind]]
        shapes = [tuple(int(size) for size in shape) for shape in request["shapes"]]
    except (KeyError, TypeError, ValueError):
        raise ParameterError("a step must list attributes and shapes of tables, got others; mend it") from None
    if list(map(len, cliques)) != list(map(len, shapes)) or min(map(min, filter(None, shapes)), default=0) < 1:
        raise ParameterError("tables must have one size of at least 1 for each attribute, got others; mend the step")
    cells = sum(int(np.prod(shape, dtype=object)) for shape in shapes)
    if not (all(cliques) and 0 < cells <= MOST_CELLS):
        raise ParameterError(f"a step must ask for 1 to {MOST_CELLS} cells, got {cells}; ask for smaller tables")
    return cliques, shapes


def _whole(request: Mapping[str, Any], name: str, size: int, low: int, high: int) -> np.ndarray:
    numbers = np.asarray(request.get(name))
    if numbers.shape != (size,) or numbers.dtype != np.int64:
        raise ParameterError(f"{name} must be {size} whole numbers, got {numbers.dtype} of shape {numbers.shape}")
    if not low <= numbers.min() <= numbers.max() <= high:
        raise ParameterError(f"{name} must lie between {low} and {high}, got {numbers.min()} to {numbers.max()}")
    return numbers


def _number(request: Mapping[str, Any], name: str) -> float:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterError(f"{name} must be a number, got {type(value).__name__}; mend the step")
    return float(value)
