"""The benchmark as a table and a plot.

Belongs here: means and seeds' intervals of stored results. Does not belong here: running.
"""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import t as student

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
FIGURES = {"tstr": "TSTR AUC", "tvd2": "mean TVD2", "tvd2_max": "max TVD2", "km_gap": "KM gap"}


def write_page(results: pl.DataFrame) -> None:
    """Write ``synthesis.md`` and ``synthesis.png``."""
    lines = [
        "# Synthesizers on the same splits, grid, scorer and machine",
        "",
        "Made by `make bench-synthesis`. TSTR: gradient boosting trained on synthetic rows, tested on held-out real",
        "patients. TVD2: total variation distance of pairs of columns from held-out patients; the row `real` is the",
        "floor that other real patients reach. KM gap: mean absolute difference of survival. Delta 1e-5; one thread;",
        "split seed 0, mean over noise seeds with the 95 % half-width of the mean. Ours: `auto`, `aim`, `mst`, `star`,",
        "`copula`. Epsilon as asked: OpenDP and ours convert it to zCDP exactly, smartnoise and dpmm by themselves.",
        "Memory is that of the whole process: ours includes reading and scoring libraries.",
    ]
    for cohort, part in results.group_by("cohort", maintain_order=True):
        lines += ["", f"## {cohort[0]}", "", *_table(part)]
    lines += ["", "![TSTR against epsilon](synthesis.png)", ""]
    (DOCS / "synthesis.md").write_text("\n".join(lines), encoding="utf-8")
    _plot(results)


def _table(part: pl.DataFrame) -> list[str]:
    head = ["synthesizer", "epsilon", "seeds", *FIGURES.values(), "CPU s", "MiB"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    ranked = part.group_by("synthesizer", "epsilon").agg(pl.all()).with_columns(
        pl.col("tstr").list.mean().alias("mean")
    )  # fmt: skip
    for row in ranked.sort("epsilon", "mean", descending=[False, True], nulls_last=True).iter_rows(named=True):
        done = [e for e in row["error"] if not e]
        cells = [row["synthesizer"], f"{row['epsilon']:g}" if row["epsilon"] else "none", str(len(done))]
        if done:
            cells += [_interval(row[name]) for name in FIGURES]
            cells += [_mean(row["cpu_s"], ".1f"), _mean(row["mib"], ".0f")]
        else:
            cells += [row["error"][0], *[""] * (len(FIGURES) + 1)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _interval(values: list[float | None]) -> str:
    known = [v for v in values if v is not None]
    if not known:
        return "-"
    if len(known) == 1:
        return f"{known[0]:.3f}"
    half = float(student.ppf(0.975, len(known) - 1)) * np.std(known, ddof=1) / np.sqrt(len(known))
    return f"{np.mean(known):.3f} ± {half:.3f}"


def _mean(values: list[float | None], form: str) -> str:
    known = [v for v in values if v is not None]
    return format(np.mean(known), form) if known else "-"


def _plot(results: pl.DataFrame) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    cohorts = results["cohort"].unique(maintain_order=True).to_list()
    figure, axes = plt.subplots(2, len(cohorts), figsize=(4.2 * len(cohorts), 6.4), squeeze=False, sharex=True)
    for column, cohort in enumerate(cohorts):
        for row, (name, label) in enumerate([("tstr", "TSTR AUC"), ("tvd2", "mean TVD2")]):
            axis, part = axes[row][column], results.filter(pl.col("cohort") == cohort)
            _lines(axis, part.filter(pl.col(name).is_not_null()), name)
            axis.set(ylabel=label, xscale="log", title=cohort if row == 0 else None)
            if row:
                axis.set_xlabel("epsilon")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(DOCS / "synthesis.png", dpi=110)


def _lines(axis, part: pl.DataFrame, name: str) -> None:
    for style, reference in (("-", "real"), (":", "independent")):
        values = part.filter(pl.col("synthesizer") == reference)[name]
        if len(values):
            axis.axhline(values.mean(), color="grey", linestyle=style, label=reference)
    private = part.filter(pl.col("epsilon") > 0)
    for synthesizer in sorted(private["synthesizer"].unique(), key=lambda s: ("-" in s, s)):
        one = private.filter(pl.col("synthesizer") == synthesizer)
        means = one.group_by("epsilon").agg(pl.col(name).mean()).sort("epsilon")
        peer = "-" in synthesizer
        axis.plot(means["epsilon"], means[name], "o--" if peer else "o-", label=synthesizer, linewidth=1 if peer else 2)
