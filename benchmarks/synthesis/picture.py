"""The benchmark as a picture: two figures of each cohort against epsilon.

Belongs here: one point per synthesizer and epsilon. Does not belong here: the tables (``page``).
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import polars as pl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

SHOWN = {"tstr": "TSTR AUC (higher is better)", "tvd2": "mean TVD2 (lower is better)"}
REFERENCES = {"real": "-", "independent": ":"}
MARKERS = "osD^vP*X<>hd"


def save_picture(results: pl.DataFrame, path: Path) -> None:
    """Draw what was measured; failed entries and peers as installed are left to the table."""
    known = results.filter(pl.col("tstr").is_not_null() & ~pl.col("synthesizer").str.ends_with("-released"))
    cohorts = known["cohort"].unique(maintain_order=True).to_list()
    styles = _styles(known)
    size = (4.6 * len(cohorts) + 2.2, 7.6)
    figure, axes = plt.subplots(len(SHOWN), len(cohorts), figsize=size, squeeze=False, layout="constrained")
    for column, cohort in enumerate(cohorts):
        for row, (name, label) in enumerate(SHOWN.items()):
            _panel(axes[row][column], known.filter(pl.col("cohort") == cohort), name, styles)
            axes[row][column].set(title=cohort if row == 0 else None, ylabel=None if column else label)
    entries = {text: line for axis in axes.flat for line, text in zip(*axis.get_legend_handles_labels(), strict=True)}
    order = [name for name in (*REFERENCES, *styles) if name in entries]
    figure.legend([entries[n] for n in order], order, loc="outside right center", fontsize=8, frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _styles(results: pl.DataFrame) -> dict[str, dict]:
    """Colour and marker of each synthesizer, ours first and filled."""
    names = sorted(set(results["synthesizer"].unique()) - set(REFERENCES), key=lambda s: ("-" in s, s))
    colours = plt.get_cmap("tab20")
    return {
        name: {"color": colours((2 * i) % 20 + (2 * i) // 20), "marker": MARKERS[i % len(MARKERS)]}
        | ({"mfc": "white"} if "-" in name else {})
        for i, name in enumerate(names)
    }


def _panel(axis: Axes, part: pl.DataFrame, name: str, styles: dict[str, dict]) -> None:
    for reference, line in REFERENCES.items():
        values = part.filter(pl.col("synthesizer") == reference)[name]
        if len(values):
            axis.axhline(float(np.mean(values.to_numpy())), color="grey", linestyle=line, label=reference)
    drawn = part.filter(~pl.col("synthesizer").is_in(list(REFERENCES)))
    steps = [*sorted(e for e in drawn["epsilon"].unique() if e), *([0.0] if 0.0 in drawn["epsilon"] else [])]
    for position, epsilon in enumerate(steps):
        means = drawn.filter(pl.col("epsilon") == epsilon).group_by("synthesizer").agg(pl.col(name).mean())
        beside = [s for s in styles if s in means["synthesizer"]]
        for shift, synthesizer in zip(np.linspace(-0.36, 0.36, len(beside) + 2)[1:-1], beside, strict=True):
            value = means.filter(pl.col("synthesizer") == synthesizer)[name]
            axis.plot([position + shift], value, linestyle="", label=synthesizer, **styles[synthesizer])
    axis.set_xticks(range(len(steps)), [f"epsilon {e:g}" if e else "no privacy" for e in steps])
    axis.set_xlim(-0.5, max(len(steps), 1) - 0.5)
    axis.grid(axis="y", alpha=0.3)
