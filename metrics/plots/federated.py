"""Figures of what hospitals have computed together: survival curves, coefficients and trainings.

Belongs here: drawing a job's result. Does not belong here: the computation; this package reads plain JSON values.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from metrics.plots.figure import FOURTH, HOLDOUT, INK, QUIET, REAL, SYNTHETIC, THIRD, drawn, note, panels

RATIOS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1, 1.4, 2, 5, 10, 20, 50, 100]
INTERCEPT = "intercept"
COLOURS = (REAL, SYNTHETIC, THIRD, FOURTH, HOLDOUT)


@drawn
def survival_plot(result: Mapping[str, Any]) -> Figure:
    """Kaplan-Meier curves with 95 % bounds; a curve ends where too few patients are left to show.

    Parameters
    ----------
    result : mapping
        ``curves`` with ``group``, ``times``, ``survival``, ``lower``, ``upper``, ``at_risk``; ``time`` with ``column``.
    """
    figure, (axes,) = panels(1, width=6.4, height=4.0)
    shown = [curve for curve in result["curves"] if len(curve["times"]) > 1]
    if not shown:
        note(axes, "Too few patients to show a curve")
        return figure
    for curve, colour in zip(shown, np.resize(COLOURS, len(shown)), strict=True):
        bounds = curve["lower"], curve["upper"]
        axes.fill_between(curve["times"], *bounds, step="post", color=colour, alpha=0.15, linewidth=0)
        axes.step(curve["times"], curve["survival"], where="post", color=colour, label=_named(curve))
    axes.set(ylim=(0, 1.02), xlabel=result["time"]["column"], ylabel="Share without event")
    axes.set_title(f"Kaplan-Meier over {result['parties']} parties, steps of at least {result['minimum_count']} events")
    axes.legend(loc="best")
    return figure


@drawn
def coefficients_plot(result: Mapping[str, Any], *, title: str) -> Figure:
    """Odds or hazard ratios with 95 % intervals, on a logarithmic axis.

    Parameters
    ----------
    result : mapping
        ``coefficients``: list of ``name``, ``ratio``, ``lower``, ``upper``; ``None`` if the model was left out.
    """
    rows = [row for row in result["coefficients"] or [] if row["name"] != INTERCEPT][::-1]
    figure, (axes,) = panels(1, width=6.4, height=1.2 + 0.24 * len(rows))
    if not rows:
        note(axes, "Too few patients for a model")
        return figure
    centre = np.array([row["ratio"] for row in rows])
    ends = np.clip(np.array([[row["lower"], row["upper"]] for row in rows]).T, 1e-6, 1e6)
    centre = np.clip(centre, *ends)
    axes.errorbar(centre, np.arange(len(rows)), xerr=np.abs(ends - centre), fmt="o", color=REAL, ecolor=QUIET, ms=4)
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.set_yticks(np.arange(len(rows)), [row["name"] for row in rows])
    ratio = "Hazard ratio" if title == "cox" else "Odds ratio"
    axes.set(xscale="log", xlabel=f"{ratio}, 95 % interval")
    axes.xaxis.set_major_locator(FixedLocator(RATIOS))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    # A rare level may have no finite ratio: its bar runs out of the picture.
    axes.set_xlim(*np.clip([min(ends[0].min(), 0.9) * 0.95, max(ends[1].max(), 1.1) * 1.05], RATIOS[0], RATIOS[-1]))
    axes.set_title(f"{title.capitalize()} regression over {result['parties']} parties")
    return figure


@drawn
def training_plot(result: Mapping[str, Any]) -> Figure:
    """Mean log loss of training patients before each round, and what held-out patients say at the end.

    Parameters
    ----------
    result : mapping
        ``loss`` (``None`` with differential privacy), ``evaluation`` with ``auc`` and ``log_loss``, or ``None``.
    """
    figure, (axes,) = panels(1, width=6.4, height=3.6)
    found, losses = result["evaluation"], result.get("loss")
    if not losses:
        note(axes, "Too few patients for a network" if result["weights"] is None else _judged(found))
        return figure
    axes.plot(np.arange(len(losses)), losses, color=REAL, label="Training patients")
    if found is not None:
        axes.plot([len(losses)], [found["log_loss"]], "o", color=HOLDOUT, label=_judged(found))
    axes.set(xlabel="Round", ylabel="Mean log loss")
    axes.set_title(f"Network trained over {result['parties']} parties")
    axes.legend(loc="best")
    return figure


def _judged(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Too few held-out patients to judge it"
    return f"{found['patients']} held-out patients: AUC {found['auc']:.3f}"


def _named(curve: Mapping[str, Any]) -> str:
    return f"{curve['group']} ({curve['patients']} patients)"
