"""Figure of associations: heat maps of real, of synthetic, and of their difference.

Belongs here: drawing the association report. Does not belong here: measuring it (``fidelity.association``).
"""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from metrics.plots.figure import RULE, drawn, note

# Signed, white at 0, and told apart with every common colour vision deficiency.
COLOURS = "RdBu_r"
LABEL_WIDTH = 22
MOST_NAMED = 30
INCHES_PER_COLUMN = 0.19
PANELS = {"train": "Real, training", "synthetic": "Synthetic", "difference": "Synthetic minus real"}


@drawn
def association_plot(fidelity: Mapping[str, Any]) -> Figure:
    """Association of all pairs of columns: real beside synthetic beside the difference.

    Parameters
    ----------
    fidelity : mapping
        JSON of ``metrics.fidelity.suite.fidelity_suite``.
    """
    report = fidelity.get("association")
    if report is None:
        figure = Figure(figsize=(8.4, 2.0))
        note(figure.subplots(), fidelity.get("reasons", {}).get("association") or "not available")
        return figure
    labels = [shorten(column["label"], LABEL_WIDTH, placeholder=" …") for column in report["columns"]]
    side = float(np.clip(INCHES_PER_COLUMN * len(labels), 2.4, 5.0))
    figure = Figure(figsize=(3 * side + 3.2, side + 1.9), layout="compressed")  # squares leave no empty margins
    panels: Sequence[Axes] = list(figure.subplots(1, len(PANELS)))
    spread = _spread(report["matrices"]["difference"])
    for place, (axes, (name, title)) in enumerate(zip(panels, PANELS.items(), strict=True)):
        image = _heat(axes, report["matrices"][name], spread if name == "difference" else 1.0)
        axes.set_title(title)
        _named(axes, labels, down=place == 0)
        if name != "train":  # one bar serves the first two
            figure.colorbar(image, ax=panels[:2] if name == "synthetic" else axes, shrink=0.9, aspect=28, pad=0.015)
    return figure


def _spread(difference: Sequence[Sequence[float | None]]) -> float:
    """Half the width of the difference's scale: its largest value, to the next tenth."""
    largest = np.nanmax(np.abs(np.array(difference, dtype=float)), initial=0.0)
    return float(np.clip(np.ceil(10 * largest) / 10, 0.1, 2.0))


def _heat(axes: Axes, matrix: Sequence[Sequence[float | None]], spread: float) -> AxesImage:
    values = np.array(matrix, dtype=float)
    np.fill_diagonal(values, np.nan)
    axes.set_facecolor(RULE)
    axes.grid(visible=False)
    axes.set_aspect("equal")
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes.imshow(values, cmap=COLOURS, vmin=-spread, vmax=spread, interpolation="nearest")


def _named(axes: Axes, labels: Sequence[str], *, down: bool) -> None:
    if len(labels) > MOST_NAMED:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel(f"{len(labels)} columns in the codebook's order")
        return
    places = range(len(labels))
    axes.set_xticks(places, labels, rotation=90, fontsize=7)
    axes.set_yticks(places, labels if down else [], fontsize=7)
