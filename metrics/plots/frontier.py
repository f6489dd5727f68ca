"""Figure of the privacy-utility frontier: what each epsilon costs.

Belongs here: drawing a sweep. Does not belong here: running it (``assets``, ``benchmarks``).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metrics.plots.figure import FOURTH, HOLDOUT, INDEPENDENT, REAL, SYNTHETIC, THIRD, drawn, panels

COLOURS = (SYNTHETIC, THIRD, FOURTH, HOLDOUT, REAL)
PANELS = {
    "tstr_auc": ("Utility (higher is better)", "TSTR AUC"),
    "mean_tvd2": ("Fidelity (lower is better)", "Mean two-way TVD, at holdout size"),
    "membership_auc": ("Membership attack (0.5 is guessing)", "Attack AUC"),
}
REFERENCES = {
    "tstr_auc": (("trtr_auc", "trained on real", REAL),),
    "mean_tvd2": (("holdout_tvd2", "real holdout", REAL), ("independent_tvd2", "independent columns", INDEPENDENT)),
    "membership_auc": (),
}


@drawn
def frontier_plot(points: Sequence[Mapping[str, Any]], references: Mapping[str, float | None]) -> Figure:
    """Utility, fidelity and attack over epsilon; mean and range over seeds.

    Parameters
    ----------
    points : sequence of mapping
        One per run: ``epsilon`` (``None`` without differential privacy), ``tstr_auc``, ``mean_tvd2`` (at the holdout's
        size), ``membership_auc`` (each may be ``None``), and optionally ``method``, one line each.
    references : mapping
        ``trtr_auc``, ``holdout_tvd2``, ``independent_tvd2``; missing ones are not drawn.
    """
    epsilons = sorted({p["epsilon"] for p in points}, key=lambda e: np.inf if e is None else e)
    figure, axes = panels(len(PANELS), width=11.0, height=3.7)
    for panel, (key, (title, label)) in zip(axes, PANELS.items(), strict=True):
        for name, text, colour in REFERENCES[key]:
            if (level := references.get(name)) is not None:
                panel.axhline(level, color=colour, linewidth=1.2, linestyle=(0, (4, 2)), label=text)
        _lines(panel, points, epsilons, key)
        panel.set(title=title, ylabel=label, xlabel="Privacy budget ε (smaller is stronger)")
        panel.set_xticks(range(len(epsilons)), ["none" if e is None else f"{e:g}" for e in epsilons])
    axes[-1].axhline(0.5, color=INDEPENDENT, linewidth=1.2, linestyle=(0, (4, 2)), label="guessing")
    for panel in axes:
        panel.legend(loc="best", fontsize=7.5)
    return figure


def _lines(axes: Axes, points: Sequence[Mapping[str, Any]], epsilons: Sequence[float | None], key: str) -> None:
    methods = list(dict.fromkeys(p.get("method", "synthetic") for p in points))
    for number, method in enumerate(methods):
        runs = [p for p in points if p.get("method", "synthetic") == method and p.get(key) is not None]
        groups = {i: [p[key] for p in runs if p["epsilon"] == e] for i, e in enumerate(epsilons)}
        places = [i for i, values in groups.items() if values]
        means = np.array([np.mean(groups[i]) for i in places])
        ranges = [means - [min(groups[i]) for i in places], [max(groups[i]) for i in places] - means]
        shift = 0.06 * (number - (len(methods) - 1) / 2)
        axes.errorbar(
            np.add(places, shift), means, yerr=np.maximum(ranges, 0), marker="o", markersize=5, capsize=3,
            color=COLOURS[number % len(COLOURS)], label=method,
        )  # fmt: skip
