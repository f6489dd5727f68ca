"""The marginal oracle of patients that lie at several parties.

Belongs here: asking a running session for tables and choices, from code that knows nothing of networks. Does not belong
here: how parties answer (``protocols.marginals``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np
from anyio.from_thread import BlockingPortal, start_blocking_portal

from federation.jobs.job import Job
from federation.party.researcher import Progress, Researcher, Result, Session
from federation.party.settings import ResearcherSettings
from federation.protocols.marginals import CHOOSE, MEASURE, WEIGHT_UNITS


class FederatedOracle:
    """See ``records.protocols.MarginalOracle``.

    A choice costs ``epsilon ** 2 / 8`` as the contract says. Its mechanism is report noisy max with geometric noise, which
    has that cost at half the ``epsilon`` (``federation.noise``); estimates are rounded to whole counts and weights to
    sixteenths of the largest.

    Parameters
    ----------
    levels : mapping of str to int
        Number of levels of each attribute, from the public codebook.
    """

    def __init__(self, portal: BlockingPortal, session: Session, levels: Mapping[str, int]) -> None:
        self._portal = portal
        self._session = session
        self._levels = levels

    def measure(self, attributes: Sequence[str], *, sigma: float) -> np.ndarray:
        """Noisy counts over the attributes' levels."""
        return self.measure_all([attributes], sigma=sigma)[0]

    def measure_all(self, many: Sequence[Sequence[str]], *, sigma: float) -> list[np.ndarray]:
        """Noisy counts of several tables in one step."""
        shapes = self._shapes(many)
        counts = self._step({MEASURE: [list(names) for names in many], "shapes": shapes, "sigma": sigma})
        parts = np.split(np.asarray(counts), np.cumsum([prod(shape) for shape in shapes])[:-1])
        return [part.reshape(shape).astype(float) for part, shape in zip(parts, shapes, strict=True)]

    def choose(
        self, candidates: Sequence[Sequence[str]], estimates: Sequence[np.ndarray], weights: Sequence[float],
        penalties: Sequence[float], *, epsilon: float,
    ) -> int:  # fmt: skip
        """Position of a candidate whose counts differ much from ``estimates``."""
        units = np.maximum(np.rint(np.asarray(weights) / max(weights) * WEIGHT_UNITS), 1).astype(np.int64)
        return int(
            self._step(
                {
                    CHOOSE: [list(names) for names in candidates],
                    "shapes": self._shapes(candidates),
                    "estimates": np.rint(np.concatenate([np.ravel(e) for e in estimates])).astype(np.int64),
                    "weights": units,
                    "penalties": np.rint(units * np.asarray(penalties)).astype(np.int64),
                    "epsilon": epsilon / 2,
                }
            )
        )

    def finish(self) -> Result:
        """End the session: what each party sent and took."""
        return self._portal.call(self._session.finish)

    def _shapes(self, many: Sequence[Sequence[str]]) -> list[list[int]]:
        return [[self._levels[name] for name in names] for names in many]

    def _step(self, request: Mapping[str, Any]) -> Any:
        return self._portal.call(self._session.step, request)


@contextmanager
def federated_oracle(
    settings: ResearcherSettings, job: Job, levels: Mapping[str, int], on_progress: Callable[[Progress], None] | None = None
) -> Iterator[FederatedOracle]:  # fmt: skip
    """A session of ``job`` whose steps are asked from this thread; the network is served by another.

    Raises
    ------
    JobEndedError
        The job was refused or ended early.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Researcher(settings)) as researcher,
        portal.wrap_async_context_manager(researcher.session(job, on_progress=on_progress)) as session,
    ):
        yield FederatedOracle(portal, session, levels)
