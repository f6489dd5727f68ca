"""Figure of all fidelity figures at once, each beside its references.

Belongs here: drawing the fidelity suite. Does not belong here: measuring it (``fidelity.suite``). Every table has the
holdout's size, so that the dots of a row compare like with like.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from metrics.plots.figure import FOURTH, INDEPENDENT, QUIET, REAL, RULE, SYNTHETIC, drawn, note

TABLES = {
    "independent_matched": ("independent columns", INDEPENDENT, "s", 44),
    "bootstrap_matched": ("bootstrap copy of training", FOURTH, "D", 34),
    "holdout": ("real holdout (noise floor)", REAL, "o", 44),
    "synthetic_matched": ("synthetic", SYNTHETIC, "o", 30),
}
PRINTED = {"synthetic_matched": "synthetic", "holdout": "holdout"}
POINTS_ASIDE = 48
EDGE: dict[str, Any] = {"edgecolors": "white", "linewidths": 0.6, "zorder": 3, "clip_on": False}
DISTANCES = {
    "Total variation, 1 column (mean)": ("mean_tvd1",),
    "Total variation, 2 columns (mean)": ("mean_tvd2",),
    "Total variation, 3 columns (mean)": ("triples", "mean"),
    "Kolmogorov-Smirnov, numbers (mean)": ("univariate", "mean", "kolmogorov_smirnov"),
    "Wasserstein, share of range (mean)": ("univariate", "mean", "wasserstein"),
    "Jensen-Shannon, categories (mean)": ("univariate", "mean", "jensen_shannon"),
    "Association, difference (mean)": ("association", "mean"),
    "Patterns of missing values": ("missingness", "pattern_tvd"),
    "Kaplan-Meier gap (mean)": ("survival_references", "mean"),
    "Kaplan-Meier gap (largest)": ("survival_references", "largest"),
}
SCORES = {
    "Two-sample test AUC (0.5: not told apart)": ("two_sample", "auc"),
    "Density (real: about 1)": ("manifold", "density"),
    "Coverage": ("manifold", "coverage"),
    "Alpha-precision": ("manifold", "alpha_precision"),
    "Beta-recall": ("manifold", "beta_recall"),
}


@drawn
def references_plot(fidelity: Mapping[str, Any]) -> Figure:
    """Every fidelity figure of the synthetic table beside holdout, independent columns and bootstrap copy.

    Parameters
    ----------
    fidelity : mapping
        JSON of ``metrics.fidelity.suite.fidelity_suite``; figures that are not there are left out.
    """
    blocks = [_rows(fidelity, DISTANCES), _rows(fidelity, SCORES)]
    figure = Figure(figsize=(11.6, 1.4 + 0.36 * max(len(block) for block in blocks)))
    panels = list(figure.subplots(1, 2, width_ratios=(1.2, 1.0)))
    titles = ("Distances to training (lower is nearer)", "Scores (read beside the holdout)")
    for axes, rows, title in zip(panels, blocks, titles, strict=True):
        if rows:
            _dots(axes, rows)
            _printed(axes, rows)
            axes.set_title(title, pad=18)
            if axes is panels[0]:
                _spread_small(axes)
        else:
            note(axes, "not available")
    handles, labels = max((axes.get_legend_handles_labels() for axes in panels), key=lambda known: len(known[1]))
    figure.legend(handles[::-1], labels[::-1], loc="outside upper left", ncols=len(TABLES))
    return figure


def _rows(fidelity: Mapping[str, Any], figures: Mapping[str, Sequence[str]]) -> list[tuple[str, dict[str, float]]]:
    """Label and known values by table, of the figures the synthetic table has."""
    found = [(label, _values(fidelity, path)) for label, path in figures.items()]
    return [(label, values) for label, values in found if "synthetic_matched" in values]


def _values(fidelity: Mapping[str, Any], path: Sequence[str]) -> dict[str, float]:
    if len(path) == 1:
        part: Any = {name: (fidelity.get(name) or {}).get(path[0]) for name in TABLES}
    else:
        part = fidelity
        for step in path:
            part = (part or {}).get(step)
    known = {name: (part or {}).get(name) for name in TABLES}
    known = {name: value["value"] if isinstance(value, Mapping) else value for name, value in known.items()}
    return {name: float(value) for name, value in known.items() if value is not None}


def _dots(axes: Axes, rows: Sequence[tuple[str, dict[str, float]]]) -> None:
    places = np.arange(len(rows))
    for place, (_, values) in zip(places, rows, strict=True):
        axes.plot([min(values.values()), max(values.values())], [place, place], color=RULE, linewidth=3, zorder=1)
    for name, (label, colour, marker, size) in TABLES.items():
        known = [(values[name], place) for place, (_, values) in zip(places, rows, strict=True) if name in values]
        if known:
            axes.scatter(*zip(*known, strict=True), s=size, color=colour, marker=marker, label=label, **EDGE)
    axes.set_yticks(places, [label for label, _ in rows], color=QUIET)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    most = max(max(values.values()) for _, values in rows)
    axes.set_xlim(0.0, 1.06 * max(most, 0.01))
    axes.grid(axis="y", visible=False)


def _printed(axes: Axes, rows: Sequence[tuple[str, dict[str, float]]]) -> None:
    """The synthetic table's and the holdout's figures in columns at the right."""
    across = axes.get_yaxis_transform()
    for at, (name, head) in enumerate(PRINTED.items()):
        look: dict[str, Any] = {"color": TABLES[name][1], "ha": "right", "textcoords": "offset points"}
        aside = POINTS_ASIDE * (at + 1)
        axes.annotate(head, (1.0, -0.5), xycoords=across, xytext=(aside, 1), va="bottom", fontsize=7.5, **look)
        for row, (_, values) in enumerate(rows):
            text = f"{values[name]:.3f}" if name in values else ""
            axes.annotate(text, (1.0, row), xycoords=across, xytext=(aside, 0), va="center", fontsize=8, **look)


def _spread_small(axes: Axes) -> None:
    """Square root scale, so that small distances are told apart and 0 stays 0."""
    axes.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
    axes.xaxis.set_major_locator(FixedLocator([0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0]))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("square root scale", fontsize=8, color=QUIET)
