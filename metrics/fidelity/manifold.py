"""Do synthetic patients lie where real ones lie, and everywhere they lie? Density, coverage, precision and recall.

Belongs here: measures on distances between whole records. Does not belong here: the distance (``metrics.distance``) or
what nearness tells an attacker (``attacks``).

Distances are Gower's, numbers on the rank scale of train. All tables are cut to one size of at most 2,000 rows. A
record's ball reaches to its fifth nearest real neighbour and is closed, because records of few levels tie.
alpha-precision and beta-recall follow Alaa and others with their one-class centre simplified to the mean of the encoded
records instead of a learnt embedding; their integrated scores are ``1 - 2 * mean(|curve - level|)`` over 50 levels. As
in the authors' code, the shares of beta-recall are taken over the records nearest to real ones. Taken over all records,
real holdouts of three cohorts scored below independent columns (.43 to .54 against .63 to .74): a few central records
are near to everybody. Even other real patients stay below 1; read every score beside the holdout's.

References
----------
Naeem et al., 2020, ICML (density and coverage). Alaa et al., 2022, ICML (alpha-precision and beta-recall).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.distance import Points, distances, points, rank_scales
from metrics.fidelity.references import MATCHED, Compared, sample
from metrics.plain import plain

MOST_ROWS = 2000
FEWEST_ROWS = 20
NEIGHBOURS = 5
LEVELS = (np.arange(50) + 0.5) / 50


@dataclass(frozen=True)
class Scores:
    """Scores of one table against real records.

    Parameters
    ----------
    density : float
        Mean number of real balls a record lies in, over the neighbours; about 1 for real records, not bounded by it.
    coverage : float
        Share of real balls that hold a record, 0 to 1.
    alpha_precision, beta_recall : float
        Integrated, 0 to 1.
    """

    density: float
    coverage: float
    alpha_precision: float
    beta_recall: float


@dataclass(frozen=True)
class ManifoldReport:
    """Aggregates only; figures are ``None`` where ``reason`` says why.

    Parameters
    ----------
    density, coverage, alpha_precision, beta_recall : mapping of str to float
        Table to its score (see ``Scores``); the tables are those of ``references.MATCHED``.
    rows : int
        Rows drawn at random from each table.
    """

    reason: str | None
    density: Mapping[str, float] | None = None
    coverage: Mapping[str, float] | None = None
    alpha_precision: Mapping[str, float] | None = None
    beta_recall: Mapping[str, float] | None = None
    rows: int = 0
    neighbours: int = NEIGHBOURS
    distance: str = "Gower, numbers on the rank scale of train; one-class centre: mean of the encoded records"

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def manifold(tables: Compared, *, rng: np.random.Generator) -> ManifoldReport:
    """Density, coverage, alpha-precision and beta-recall of every table against train.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the rows.
    """
    frames = {name: tables.frames[name] for name in ("train", *MATCHED)}
    size = min(MOST_ROWS, *(frame.height for frame in frames.values()))
    if tables.reason is not None or size < FEWEST_ROWS:
        few = f"{size} rows a table are too few for neighbours, at least {FEWEST_ROWS} are needed"
        return ManifoldReport(tables.reason or few)
    scales = rank_scales(tables.frames["train"], tables.columns)
    drawn = {name: points(sample(frame, size, rng), tables.columns, scales) for name, frame in frames.items()}
    real = drawn.pop("train")
    radii = ball_radii(real)
    found = {name: scores(real, table, radii) for name, table in drawn.items()}
    return ManifoldReport(
        None,
        density={name: score.density for name, score in found.items()},
        coverage={name: score.coverage for name, score in found.items()},
        alpha_precision={name: score.alpha_precision for name, score in found.items()},
        beta_recall={name: score.beta_recall for name, score in found.items()},
        rows=size,
    )


def ball_radii(real: Points) -> np.ndarray:
    """Distance of each real record to its fifth nearest other one, shape (rows,)."""
    between = distances(real, real)
    np.fill_diagonal(between, np.inf)
    return np.partition(between, NEIGHBOURS - 1, axis=1)[:, NEIGHBOURS - 1]


def scores(real: Points, table: Points, radii: np.ndarray) -> Scores:
    """Scores of ``table`` against ``real``, whose balls have ``radii`` of shape (real.rows,)."""
    between = distances(real, table)
    return Scores(
        density=float((between <= radii[:, None]).sum() / (NEIGHBOURS * table.rows)),
        coverage=float((between.min(axis=1) <= radii).mean()),
        alpha_precision=_integrated(_precision(real, table)),
        beta_recall=_integrated(_recall(between, table, radii)),
    )


def _precision(real: Points, table: Points) -> np.ndarray:
    """Share of the table's records inside the smallest ball of each share of real records, shape (50,)."""
    centre = _centre(real)
    reach = np.quantile(distances(real, centre).ravel(), LEVELS)
    return np.searchsorted(np.sort(distances(table, centre).ravel()), reach, side="right") / table.rows


def _recall(between: np.ndarray, table: Points, radii: np.ndarray) -> np.ndarray:
    """Share of real balls whose nearest record of the table lies in them and among the central shares, shape (50,)."""
    outward = distances(table, _centre(table)).ravel()[between.argmin(axis=1)]
    held = np.sort(outward[between.min(axis=1) <= radii])
    return np.searchsorted(held, np.quantile(outward, LEVELS), side="right") / len(radii)


def _centre(table: Points) -> Points:
    return Points(table.levels.mean(axis=0)[None], table.numbers.mean(axis=0)[None], table.categories)


def _integrated(curve: np.ndarray) -> float:
    return float(1 - 2 * np.abs(curve - LEVELS).mean())
