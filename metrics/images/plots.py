"""Figures of an image evaluation: pictures, utility, attacks, features, and the decision-support curves.

Belongs here: drawing. Does not belong here: measuring (``evaluation``), or choosing who may see what beyond one rule: a
real picture is drawn only if the images are phantoms or the caller says that it may be shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter

from metrics.images.intensities import Pixels, unit_pixels
from metrics.images.labels import label_codes
from metrics.images.nearest import nearest_places
from metrics.plots.figure import HOLDOUT, INK, QUIET, REAL, SYNTHETIC, THIRD, drawn, note, panels
from records.errors import ParameterError
from records.images import ImageSchema, ImageTable

ACROSS, PAIRS = 8, 8
COLOURS = {"real": REAL, "synthetic": SYNTHETIC, "both": THIRD}
Row = tuple[str, Pixels, "np.ndarray | None"]


def pictures_plot(
    synthetic: ImageTable, schema: ImageSchema, *, real: ImageTable | None = None, may_show_real: bool = False
) -> bytes:
    """Eight synthetic images of each label, lesions outlined; with ``real``, as many real ones below each.

    Raises
    ------
    ParameterError
        Real images of a cohort that is no phantom, without ``may_show_real``.
    """
    if real is not None:
        _refuse_real(schema, may_show_real)
    rows: list[Row] = []
    for level, label in enumerate(schema.label.levels.values()):
        rows.append(_row(f"{label}\nsynthetic", synthetic, schema, level))
        if real is not None:
            rows.append(_row(f"{label}\n{'phantom' if schema.phantom else 'real'}", real, schema, level))
    return _pictures(rows)


def nearest_plot(
    synthetic: ImageTable, train: ImageTable, schema: ImageSchema, *, may_show_real: bool = False
) -> bytes:
    """The eight synthetic images that lie nearest to a training image, above that image.

    Raises
    ------
    ParameterError
        The training images are of a cohort that is no phantom, without ``may_show_real``.
    """
    _refuse_real(schema, may_show_real)
    pixels = [unit_pixels(table, schema) for table in (synthetic, train)]
    flat = [part.reshape(len(part), -1) for part in pixels]
    places, distances = nearest_places(*flat)
    closest = np.argsort(distances)[:PAIRS]
    return _pictures(
        [("synthetic", pixels[0][closest], None), ("nearest in\ntraining", pixels[1][places[closest]], None)]
    )


def _refuse_real(schema: ImageSchema, may_show: bool) -> None:
    if not (schema.phantom or may_show):
        raise ParameterError(
            f"real images of {schema.name} must not be drawn, got some; draw synthetic images alone, or say that the "
            "permit allows it"
        )


def _row(label: str, table: ImageTable, schema: ImageSchema, level: int) -> Row:
    chosen = table.select(np.flatnonzero(label_codes(table, schema) == level)[:ACROSS])
    return label, unit_pixels(chosen, schema), chosen.masks


@drawn
def _pictures(rows: Sequence[Row]) -> Figure:
    figure = Figure(figsize=(1.2 * ACROSS + 1.1, 1.24 * len(rows)))
    grid = figure.subplots(len(rows), ACROSS, squeeze=False)
    for line, (label, pixels, masks) in zip(grid, rows, strict=True):
        for at, axes in enumerate(line):
            axes.set_axis_off()
            if at < len(pixels):
                axes.imshow(pixels[at], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                if masks is not None and masks[at].any():
                    axes.contour(masks[at] > 0, levels=[0.5], colors="#ff3b30", linewidths=0.9)
        words = label if len(pixels) else f"{label}: none"
        line[0].text(-0.12, 0.5, words, ha="right", va="center", fontsize=8, color=INK, transform=line[0].transAxes)
    return figure


@drawn
def utility_plot(utility: Mapping[str, Any]) -> Figure:
    """AUC on real patients of each classifier and Dice of the segmentation, by what they were trained on."""
    masks = utility["segmentation"]
    models = list(utility["prediction"]["sides"].items())
    figure, axes = panels(len(models) + bool(masks), width=9.4, height=2.9)
    for place, (name, sides) in zip(axes, models, strict=False):
        _dots(place, {source: (side["auc"], side["by_seed"]) for source, side in sides.items()})
        place.axvline(0.5, color=QUIET, linestyle=(0, (3, 3)), linewidth=1)
        place.set(title=name.capitalize(), xlabel="AUC on real patients", xlim=(0.38, 1.01))
    if masks:
        _dots(axes[-1], {source: (side["dice"], side["by_seed"]) for source, side in masks["sides"].items()})
        axes[-1].set(title="Segmentation", xlabel="Dice on real patients", xlim=(-0.02, 1.01))
    for place in axes[1:]:
        place.tick_params(labelleft=False)
    return figure


def _dots(axes: Axes, sides: Mapping[str, tuple[Mapping[str, Any], Sequence[float]]]) -> None:
    for at, (source, (interval, by_seed)) in enumerate(sides.items()):
        colour = COLOURS.get(source, HOLDOUT)
        if interval["value"] is None:
            axes.text(0.5, at, "not measurable", va="center", ha="center", color=QUIET, fontsize=7.5)
            continue
        axes.plot([interval["lower"], interval["upper"]], [at, at], color=colour, linewidth=3, alpha=0.45)
        axes.plot(by_seed, [at] * len(by_seed), "|", color=colour, markersize=7)
        axes.plot(interval["value"], at, "o", color=colour, markersize=5)
    axes.set_yticks(range(len(sides)), list(sides))
    axes.set_ylim(len(sides) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


@drawn
def membership_plot(membership: Mapping[str, Any], limit: float) -> Figure:
    """AUC of each membership attack with its interval, beside guessing and the release limit."""
    figure, (axes,) = panels(1, width=8.4, height=2.4)
    if membership["reason"]:
        note(axes, f"not measurable: {membership['reason']}")
        return figure
    attacks = membership["attacks"]
    for at, attack in enumerate(attacks):
        axes.plot([attack["lower"], attack["upper"]], [at, at], color=SYNTHETIC, linewidth=3, alpha=0.45)
        axes.plot(attack["auc"], at, "o", color=SYNTHETIC, markersize=5)
    axes.axvline(0.5, color=QUIET, linestyle=(0, (3, 3)), linewidth=1, label="guessing")
    axes.axvline(limit, color=INK, linewidth=1, label="limit of the upper bound")
    spaces = ["pixels" if attack["space"] == "pixels" else "features" for attack in attacks]
    axes.set_yticks(range(len(attacks)), [f"{a['attack']}, {s}" for a, s in zip(attacks, spaces, strict=True)])
    axes.set(xlabel="AUC over patients", ylim=(len(attacks) - 0.5, -0.5))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


@drawn
def radiomics_plot(histograms: Sequence[Mapping[str, Any]]) -> Figure:
    """Shares of images over six readable features, real (rounded counts) beside synthetic."""
    figure = Figure(figsize=(9.4, 3.9))
    for at, (axes, one) in enumerate(zip(figure.subplots(2, 3).ravel(), histograms, strict=True)):
        edges = np.linspace(one["low"], one["high"], len(one["real"]) + 1)
        axes.stairs(one["real"], edges, fill=True, color=REAL, alpha=0.35, label="real, training")
        axes.stairs(one["synthetic"], edges, color=SYNTHETIC, linewidth=1.8, label="synthetic")
        axes.set_title(one["feature"].capitalize(), fontsize=8.5)
        axes.tick_params(labelsize=7)
        if at == 0:
            axes.legend(fontsize=7)
    return figure


@drawn
def decision_support_plot(study: Mapping[str, Any]) -> Figure:
    """AUC on real patients over the number of patients trained on: real, synthetic, and both."""
    figure, (axes,) = panels(1, width=8.4, height=4.0)
    what = "phantoms" if study["phantom"] else f"{study.get('unit', 'patient')}s"
    labels = {
        "real": what if study["phantom"] else f"real {what}", "synthetic": "as many synthetic ones",
        "both": f"the {'phantoms' if study['phantom'] else 'real ones'} and all synthetic",
    }  # fmt: skip
    for step, (source, label) in enumerate(labels.items()):
        rows = [row for row in study["rows"] if row["source"] == source and row["auc"]["value"] is not None]
        # Beside each other, so that bars of one size do not hide each other.
        places = np.array([row["patients"] for row in rows]) * 1.03 ** (step - 1)
        value, lower, upper = (np.array([row["auc"][key] for row in rows]) for key in ("value", "lower", "upper"))
        axes.errorbar(
            places, value, yerr=[np.maximum(value - lower, 0), np.maximum(upper - value, 0)], color=COLOURS[source],
            marker="o", markersize=4, capsize=2, elinewidth=1.2, label=label,
        )  # fmt: skip
    sizes = sorted({row["patients"] for row in study["rows"]})
    axes.set_xscale("log")
    axes.set_xticks(sizes)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set(xlabel=f"Number of {what} trained on", ylabel=f"AUC on {study['test_patients']} unseen {what}")
    axes.legend(loc="lower right")
    return figure
