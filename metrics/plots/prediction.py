"""Figures of prediction: ROC curves and calibration, trained on synthetic beside trained on real.

Belongs here: drawing the utility report. Does not belong here: measuring it (``utility``).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metrics.plots.figure import INDEPENDENT, REAL, SYNTHETIC, drawn, note, panels

Corner = Literal["lower right", "upper left"]
SIDES = {"trtr": ("trained on real", REAL), "tstr": ("trained on synthetic", SYNTHETIC)}
MODELS = {"logistic": "Logistic regression", "boosting": "Boosted trees", "forest": "Randomised trees"}


@drawn
def roc_plot(utility: Mapping[str, Any]) -> Figure:
    """ROC curves on real holdout patients, one panel per model; ``utility`` is the report's JSON."""
    figure, axes = panels(len(MODELS), width=12.0, height=4.0)
    for panel, (name, title) in zip(axes, MODELS.items(), strict=True):
        panel.plot([0, 1], [0, 1], color=INDEPENDENT, linewidth=1, linestyle=(0, (4, 3)))
        for label, colour, part in _sides(utility, name):
            text = f"{label}: AUC {part['auc']:.2f}"
            panel.plot(part["roc"]["fpr"], part["roc"]["tpr"], color=colour, label=text)
        _square(panel, title, "False positive rate", "True positive rate", utility)
    return figure


@drawn
def calibration_plot(utility: Mapping[str, Any]) -> Figure:
    """Predicted against observed risk in groups of at least ten holdout patients, one panel per model.

    Lines are named by what the model was trained on. The slope in the legend is Cox's: 1 is right, below 1 the
    predictions are too extreme.
    """
    figure, axes = panels(len(MODELS), width=12.0, height=4.0)
    for panel, (name, title) in zip(axes, MODELS.items(), strict=True):
        panel.plot([0, 1], [0, 1], color=INDEPENDENT, linewidth=1, linestyle=(0, (4, 3)))
        for label, colour, part in _sides(utility, name):
            x, y = ([point[key] for point in part["calibration"]] for key in ("predicted", "observed"))
            slope = part.get("calibration_slope")
            text = f"{label.removeprefix('trained on ')}: Brier {part['brier']:.3f}" + (
                "" if slope is None else f", slope {slope:.2f}"
            )
            panel.plot(x, y, color=colour, marker="o", markersize=4.5, label=text, clip_on=False)
        _square(panel, title, "Predicted risk", "Observed share", utility, legend="upper left")
    return figure


def _sides(utility: Mapping[str, Any], model: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    sides = utility["models"].get(model) or {}
    for side, (label, colour) in SIDES.items():
        if sides.get(side):
            yield label, colour, sides[side]


def _square(
    axes: Axes, title: str, across: str, up: str, utility: Mapping[str, Any], *, legend: Corner = "lower right"
) -> None:
    axes.set(title=title, xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1), aspect="equal")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc=legend)
    else:
        note(axes, utility.get("reason") or "not available")
