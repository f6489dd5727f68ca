"""Fidelity of longitudinal records: real beside synthetic histories, each with the noise floor.

Belongs here: the trajectory report. Does not belong here: tables with one row per patient (``fidelity``), prediction
(``progression_risk``) or drawing (``plot_trajectories``).

Every distance stands beside a floor: half of the real patients are compared with the other half, and with as many
synthetic patients; the figures are means over such splits. A synthetic distance near the floor means that the
synthetic patients could not be told from further real ones by that statistic and at that size.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.fidelity.path_statistics import (
    CHANGE_YEARS,
    QUANTILES,
    YEAR,
    Frame,
    Statistics,
    distances,
    scales,
    statistics,
)
from metrics.fidelity.paths import Paths
from metrics.plain import plain
from metrics.reporting.units import readable
from records.discretisation import level_labels
from records.longitudinal import LongitudinalSchema, Records

INCIDENCE_YEARS = (1, 2, 5, 10)
FEWEST_IN_BAND = 10


@dataclass(frozen=True)
class TrajectoryReport:
    """Aggregates only.

    Parameters
    ----------
    distances : mapping
        Statistic to ``synthetic`` and ``floor``; see ``metrics.fidelity.path_statistics.distances`` for units.
    bands : list of str
        Bands of days since the first visit.
    measurements : list of dict
        ``name``, ``label``, ``unit``, and for real and synthetic histories ``mean`` and ``quantiles`` (0.1, 0.5, 0.9)
        in each band, ``lag`` and ``change`` from the first visit at 1, 2 and 5 years; ``*_lower`` and ``*_upper``
        are 95 % patient-bootstrap bounds of the real value. Bands with fewer than 10 real visits are ``None``.
    visits, gaps : mapping
        Shares of patients by number of visits, and of gaps by length.
    incidence : mapping
        ``grid`` (days), and for each terminal event the real curve with bounds and the synthetic one.
    """

    patients: Mapping[str, int]
    bootstraps: int
    distances: Mapping[str, Mapping[str, float]]
    bands: list[str]
    measurements: list[dict[str, Any]]
    visits: Mapping[str, Any]
    gaps: Mapping[str, Any]
    incidence: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def trajectories(
    real: Records, synthetic: Records, schema: LongitudinalSchema, *, seed: int, bootstraps: int = 200, splits: int = 20
) -> TrajectoryReport:  # fmt: skip
    """Compare synthetic with real histories.

    Parameters
    ----------
    real, synthetic : Records
        Validated; at least two real patients.
    seed : int
        Of bootstrap and splits.
    """
    rng, frame = np.random.default_rng(seed), Frame.of(schema)
    truth, made = Paths.of(real, schema), Paths.of(synthetic, schema)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # bands that are empty in a resample
        found = {"real": statistics(truth, frame), "synthetic": statistics(made, frame)}
        draws = (truth.drawn(rng.integers(truth.patients, size=truth.patients)) for _ in range(bootstraps))
        resampled = [statistics(paths, frame) for paths in draws]
        bounds = {
            side: {n: np.nanquantile([s[n] for s in resampled], q, axis=0) for n in found["real"]}
            for side, q in (("lower", 0.025), ("upper", 0.975))
        }
        apart = _beside_floor(truth, made, frame, splits, rng)
    found |= bounds
    return TrajectoryReport(
        patients={"real": truth.patients, "synthetic": made.patients},
        bootstraps=bootstraps,
        distances=apart,
        bands=level_labels(schema.visits[schema.day]),
        measurements=_measurements(found, schema, np.histogram(truth.day, frame.bands)[0]),
        visits={"numbers": list(range(1, frame.most_visits + 1)), **{k: s["visits"] for k, s in found.items()}},
        gaps={"labels": level_labels(schema.gap), **{k: s["gaps"] for k, s in found.items()}},
        incidence=_incidence(found, schema, frame),
    )


def _beside_floor(
    truth: Paths, made: Paths, frame: Frame, splits: int, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Mean distances of real halves from each other, and of one half from as many synthetic patients.

    If there are fewer synthetic patients than half of the real ones, both sides are cut to their number.
    """
    scale, half = scales(truth), min(truth.patients // 2, made.patients)
    sides: dict[str, list[dict[str, float]]] = {"synthetic": [], "floor": []}
    for _ in range(splits):
        order = rng.permutation(truth.patients)
        one = statistics(truth.drawn(order[:half]), frame)
        other = statistics(truth.drawn(order[half : 2 * half]), frame)
        drawn = statistics(made.drawn(rng.choice(made.patients, size=half, replace=False)), frame)
        sides["floor"].append(distances(one, other, scale))
        sides["synthetic"].append(distances(one, drawn, scale))
    names = sides["floor"][0]
    return {n: {side: float(np.nanmean([d[n] for d in found])) for side, found in sides.items()} for n in names}


def _measurements(found: dict[str, Statistics], schema: LongitudinalSchema, seen: np.ndarray) -> list[dict[str, Any]]:
    enough = seen >= FEWEST_IN_BAND
    shown = []
    for i, column in enumerate(schema.measurements):
        entry: dict[str, Any] = {"name": column.name, "label": column.label, "unit": readable(column.unit)}
        entry["levels"] = list(column.levels.values())
        for side, values in found.items():
            entry |= {f"mean_{side}": np.where(enough, values["mean"][i], np.nan), f"lag_{side}": values["lag"][i]}
            entry[f"change_{side}"] = {f"{y}y": values["change"][i, k] for k, y in enumerate(CHANGE_YEARS)}
            by_level = zip(QUANTILES, values["quantiles"][:, i], strict=True)
            entry[f"quantiles_{side}"] = {f"{q:g}": np.where(enough, v, np.nan) for q, v in by_level}
        shown.append(entry)
    return shown


def _incidence(found: dict[str, Statistics], schema: LongitudinalSchema, frame: Frame) -> dict[str, Any]:
    events = {}
    for k, name in enumerate(schema.terminal):
        curves = {side: values["incidence"][k] for side, values in found.items()}
        years = [y for y in INCIDENCE_YEARS if y * YEAR <= frame.grid[-1]]
        shown = {f"{y}y": {s: np.interp(y * YEAR, frame.grid, c) for s, c in curves.items()} for y in years}
        events[name] = {"label": schema.event.levels[name], **curves, "at": shown}
    return {"grid": frame.grid, "events": events}
