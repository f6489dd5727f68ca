"""Figure of longitudinal records: measurements over time, persistence in single patients, how follow-up ends.

Belongs here: drawing the trajectory report. Does not belong here: measuring it (``trajectories``). Bands with fewer
than ten real visits are left out; the only single histories shown are synthetic.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from metrics.fidelity.paths import Paths
from metrics.plots.figure import FOURTH, HOLDOUT, INDEPENDENT, QUIET, REAL, SYNTHETIC, THIRD, drawn

YEAR = 365.25
ACROSS = 4
MOST_MEASUREMENTS = 6
SHOWN_PATIENTS = 12
COLOURS = (INDEPENDENT, HOLDOUT, THIRD, FOURTH)  # of as many competing events


@drawn
def trajectories_plot(report: Mapping[str, Any], synthetic: Paths | None = None, *, note: str = "") -> Figure:
    """Real (with 95 % bounds) and synthetic histories.

    Parameters
    ----------
    report : mapping
        JSON of ``metrics.fidelity.trajectories.TrajectoryReport``; at most four competing events.
    synthetic : Paths or None
        Histories of which twelve are drawn thinly behind the first measurement.
    note : str
        Written at the upper right.
    """
    measured = report["measurements"][:MOST_MEASUREMENTS]
    down = ceil((len(measured) + 2) / ACROSS)
    across = min(ACROSS, len(measured) + 2)
    figure = Figure(figsize=(3.35 * across, 0.6 + 2.75 * down))
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for place, entry in enumerate(measured):
        _measurement(grid[place], report["bands"], entry, synthetic if place == 0 else None)
    _incidence(grid[len(measured)], report["incidence"])
    _visits(grid[len(measured) + 1], report["visits"])
    for axes in grid[len(measured) + 2 :]:
        axes.set_axis_off()
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels))
    figure.text(0.995, 0.99, note, ha="right", va="top", color=QUIET, fontsize=8)
    return figure


def _measurement(axes: Axes, bands: list[str], entry: Mapping[str, Any], synthetic: Paths | None) -> None:
    if entry["levels"]:
        _means(axes, bands, entry)
        return
    edges = np.array([[float(x) for x in band.split(" to ")] for band in bands]) / YEAR
    middle = edges.mean(axis=1)
    middle[0] = 0.0
    real, made = (_known(entry[f"quantiles_{side}"]) for side in ("real", "synthetic"))
    kept = np.isfinite(real["0.5"])
    bound = {side: _known(entry[f"quantiles_{side}"])["0.5"][kept] for side in ("lower", "upper")}
    if synthetic is not None:
        _histories(axes, synthetic, middle[kept][-1])
    axes.fill_between(middle[kept], bound["lower"], bound["upper"], color=REAL, alpha=0.18, linewidth=0)
    for values, colour, label in ((real, REAL, "real"), (made, SYNTHETIC, "synthetic")):
        axes.plot(middle[kept], values["0.5"][kept], color=colour, label=f"{label}, median")
        for quantile in ("0.1", "0.9"):
            name = f"{label}, 10 and 90 %" if quantile == "0.1" else None
            axes.plot(
                middle[kept], values[quantile][kept], color=colour, linewidth=1.0, linestyle=(0, (4, 2)), label=name
            )
    if np.nanmin(real["0.1"][kept]) > 0 and np.nanmax(real["0.9"][kept]) / np.nanmin(real["0.1"][kept]) > 8:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    _titled(axes, entry)


def _means(axes: Axes, bands: list[str], entry: Mapping[str, Any]) -> None:
    """A category: mean level, which for two levels is the share of the second."""
    middle = np.array([sum(float(x) for x in band.split(" to ")) / 2 for band in bands]) / YEAR
    middle[0] = 0.0
    real, made, low, high = (_list(entry[f"mean_{s}"]) for s in ("real", "synthetic", "lower", "upper"))
    kept = np.isfinite(real)
    axes.fill_between(middle[kept], low[kept], high[kept], color=REAL, alpha=0.18, linewidth=0)
    axes.plot(middle[kept], real[kept], color=REAL, label="real")
    axes.plot(middle[kept], made[kept], color=SYNTHETIC, label="synthetic")
    axes.set_ylim(bottom=0)
    if len(entry["levels"]) == 2:
        _percent(axes)
    _titled(axes, entry)


def _titled(axes: Axes, entry: Mapping[str, Any]) -> None:
    kind = "mean level" if len(entry["levels"]) > 2 else "share" if entry["levels"] else entry["unit"]
    axes.set_title(f"{entry['label']} ({kind})" if kind else entry["label"], fontsize=9)
    axes.set_xlabel("years since first visit", fontsize=8)


def _histories(axes: Axes, synthetic: Paths, longest: float) -> None:
    """A few synthetic patients with several visits."""
    counts = np.bincount(synthetic.patient, minlength=synthetic.patients)
    for patient in np.flatnonzero(counts >= 3)[:SHOWN_PATIENTS]:
        rows = (synthetic.patient == patient) & (synthetic.day <= longest * YEAR)
        axes.plot(synthetic.day[rows] / YEAR, synthetic.values[0, rows], color=SYNTHETIC, alpha=0.28, linewidth=0.8)


def _incidence(axes: Axes, incidence: Mapping[str, Any]) -> None:
    years = np.array(incidence["grid"]) / YEAR
    curves = list(incidence["events"].values())
    for colour, curve in zip(COLOURS[-len(curves) :], curves, strict=True):
        axes.fill_between(years, curve["lower"], curve["upper"], color=colour, alpha=0.16, linewidth=0)
        axes.plot(years, curve["real"], color=colour, label=f"{curve['label']}, real")
        axes.plot(years, curve["synthetic"], color=colour, linestyle=(0, (4, 2)), label=f"{curve['label']}, synthetic")
    axes.set_title("Cumulative incidence", fontsize=9)
    axes.set_xlabel("years since first visit", fontsize=8)
    _percent(axes)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", fontsize=6.5)


def _visits(axes: Axes, visits: Mapping[str, Any]) -> None:
    places = np.array(visits["numbers"])
    axes.bar(places - 0.2, visits["real"], width=0.4, color=REAL)
    axes.bar(places + 0.2, visits["synthetic"], width=0.4, color=SYNTHETIC)
    axes.vlines(places - 0.2, visits["lower"], visits["upper"], color=QUIET, linewidth=0.9)
    axes.set_title("Visits of a patient", fontsize=9)
    axes.grid(axis="x", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _percent(axes)


def _percent(axes: Axes) -> None:
    """Whole percents only."""
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], nbins=7))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _known(quantiles: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: _list(values) for name, values in quantiles.items()}


def _list(values: Any) -> np.ndarray:
    return np.array(values, dtype=float)
